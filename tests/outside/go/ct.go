// SPDX-License-Identifier: Apache-2.0

// ct DIR: checks the proofs that log.go checks with another reader, google/certificate-transparency's (from Debian): every
// record's inclusion under the newest head, every growth between two sizes; and that it rejects them with one bit changed.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/certificate-transparency/go/merkletree"
)

func must(err error, what string) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

func b64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	must(err, "base64")
	return b
}

func main() {
	dir := os.Args[1]
	hasher := merkletree.NewTreeHasher(func(b []byte) []byte { h := sha256.Sum256(b); return h[:] })
	v := merkletree.NewMerkleVerifier(func(b []byte) []byte { h := sha256.Sum256(b); return h[:] })
	raw, err := ioutil.ReadFile(filepath.Join(dir, "records"))
	must(err, "records")
	records := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	// roots by the recursive definition, on this program's side
	var root func(r []string) []byte
	root = func(r []string) []byte {
		if len(r) == 1 {
			return hasher.HashLeaf([]byte(r[0]))
		}
		k := 1
		for 2*k < len(r) {
			k *= 2
		}
		return hasher.HashChildren(root(r[:k]), root(r[k:]))
	}
	included := 0
	for i, r := range records {
		b, err := ioutil.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.tlog-proof", i)))
		must(err, "proof")
		parts := bytes.SplitN(b, []byte("\n\n"), 2)
		note := strings.Split(string(parts[1]), "\n")
		size, err := strconv.ParseInt(note[1], 10, 64)
		must(err, "size")
		var path [][]byte
		for _, line := range strings.Split(string(parts[0]), "\n")[2:] {
			path = append(path, b64(line))
		}
		must(v.VerifyInclusionProof(int64(i)+1, size, path, b64(note[2]), []byte(r)), fmt.Sprint("record ", i)) // it counts from 1
		if v.VerifyInclusionProof(int64(i)+1, size, path, b64(note[2]), []byte(r+" ")) == nil {
			must(fmt.Errorf("accepted"), "a changed record")
		}
		path[0][7] ^= 1
		if v.VerifyInclusionProof(int64(i)+1, size, path, b64(note[2]), []byte(r)) == nil {
			must(fmt.Errorf("accepted"), "a changed path")
		}
		included++
	}
	f, err := os.Open(filepath.Join(dir, "growth"))
	must(err, "growth")
	grown := 0
	for s := bufio.NewScanner(f); s.Scan(); grown++ {
		w := strings.Fields(s.Text())
		from, err := strconv.Atoi(w[0])
		must(err, "from")
		to, err := strconv.Atoi(w[1])
		must(err, "to")
		var path [][]byte
		for _, h := range w[2:] {
			b, err := hex.DecodeString(h)
			must(err, "hash")
			path = append(path, b)
		}
		must(v.VerifyConsistencyProof(int64(from), int64(to), root(records[:from]), root(records[:to]), path), "growth "+s.Text())
		if from < to {
			wrong := root(records[:from])
			wrong[3] ^= 1
			if v.VerifyConsistencyProof(int64(from), int64(to), wrong, root(records[:to]), path) == nil {
				must(fmt.Errorf("accepted"), "a false growth")
			}
		}
	}
	fmt.Println(included, "records and", grown, "growths accepted by certificate-transparency")
}
