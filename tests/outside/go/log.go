// SPDX-License-Identifier: Apache-2.0

// log VKEY DIR: checks a station's log with Go's own sumdb/note and sumdb/tlog. DIR holds
//
//	records       one record a line, as stored
//	heads         one signed head a line: size, root and signature (key ID in front) in base64
//	checkpoint    the newest signed head as the station wrote it
//	N.tlog-proof  a proof for record N
//	growth        one proof a line: from, to, hashes in hex
//
// Prints what it did, and exits 1 at the first thing that Go does not accept, or accepts after one bit was changed.
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error, what string) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

func lines(name string) []string {
	b, err := ioutil.ReadFile(name)
	must(err, name)
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, h[i])
	}
	return out, nil
}

func root(b64 string) tlog.Hash {
	h, err := tlog.ParseHash(b64)
	must(err, "root")
	return h
}

func main() {
	v, err := note.NewVerifier(os.Args[1])
	must(err, "verifier key")
	verifiers := note.VerifierList(v)
	dir := os.Args[2]

	records := lines(filepath.Join(dir, "records"))
	var stored hashes
	for i, r := range records {
		h, err := tlog.StoredHashes(int64(i), []byte(r), stored)
		must(err, "hashing")
		stored = append(stored, h...)
	}
	tree := func(n int64) tlog.Hash {
		h, err := tlog.TreeHash(n, stored)
		must(err, "tree")
		return h
	}

	n := 0
	for _, line := range lines(filepath.Join(dir, "heads")) {
		f := strings.Fields(line)
		text := v.Name() + "\n" + f[0] + "\n" + f[1] + "\n"
		_, err := note.Open([]byte(text+"\n\u2014 "+v.Name()+" "+f[2]+"\n"), verifiers)
		must(err, "head "+f[0])
		size, err := strconv.ParseInt(f[0], 10, 64)
		must(err, "size")
		if tree(size) != root(f[1]) {
			fmt.Println("head", size, "has another root than the records give")
			os.Exit(1)
		}
		n++
	}

	msg, err := ioutil.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err, "checkpoint")
	newest, err := note.Open(msg, verifiers)
	must(err, "checkpoint")
	for i := range msg {
		bad := append([]byte{}, msg...)
		bad[i] ^= 1
		if i == len(msg)-3 {
			bad[i] ^= 9 // the last digit of the base64: its two lowest bits say nothing, and Go takes any
		}
		if _, err := note.Open(bad, verifiers); err == nil {
			fmt.Println("a changed checkpoint is accepted at byte", i)
			os.Exit(1)
		}
	}
	f := strings.Split(newest.Text, "\n")
	size, err := strconv.ParseInt(f[1], 10, 64)
	must(err, "size")
	if f[0] != v.Name() || size != int64(len(records)) || root(f[2]) != tree(size) {
		fmt.Println("the checkpoint is not over these records")
		os.Exit(1)
	}

	proofs := 0
	for i, r := range records {
		b, err := ioutil.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.tlog-proof", i)))
		must(err, "proof")
		parts := bytes.SplitN(b, []byte("\n\n"), 2)
		head := strings.Split(string(parts[0]), "\n")
		if head[0] != "c2sp.org/tlog-proof@v1" || head[1] != fmt.Sprintf("index %d", i) {
			fmt.Println("proof", i, "has another form")
			os.Exit(1)
		}
		signed, err := note.Open(parts[1], verifiers)
		must(err, "proof's checkpoint")
		th := root(strings.Split(signed.Text, "\n")[2])
		var p tlog.RecordProof
		for _, h := range head[2:] {
			p = append(p, root(h))
		}
		must(tlog.CheckRecord(p, size, th, int64(i), tlog.RecordHash([]byte(r))), fmt.Sprint("record ", i))
		if tlog.CheckRecord(p, size, th, int64(i), tlog.RecordHash([]byte(r+" "))) == nil {
			fmt.Println("a changed record is accepted")
			os.Exit(1)
		}
		proofs++
	}

	growths := 0
	for _, line := range lines(filepath.Join(dir, "growth")) {
		f := strings.Fields(line)
		from, err := strconv.ParseInt(f[0], 10, 64)
		must(err, "from")
		to, err := strconv.ParseInt(f[1], 10, 64)
		must(err, "to")
		var p tlog.TreeProof
		for _, h := range f[2:] {
			raw, err := hex.DecodeString(h)
			must(err, "hash")
			var t tlog.Hash
			copy(t[:], raw)
			p = append(p, t)
		}
		must(tlog.CheckTree(p, to, tree(to), from, tree(from)), "growth "+line)
		if from < to && tlog.CheckTree(p, to, tree(to), from, tree(to)) == nil {
			fmt.Println("a false growth is accepted")
			os.Exit(1)
		}
		growths++
	}
	fmt.Println(len(records), "records,", n, "heads,", proofs, "proofs,", growths, "growths accepted")
}
