// SPDX-License-Identifier: Apache-2.0

// tiles DIR SIZE ROOT: reads a log's tiles (C2SP tlog-tiles layout, height 8) with Go's own sumdb/tlog, checks them against
// ROOT (base64, over SIZE records), proves every record of tile/entries from them, and that the tree grew from several older
// sizes. ROOT "-": the root that the tiles give is printed, and the rest is checked against it.
package main

import (
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

type reader struct{ dir string }

func (r reader) Height() int { return 8 }
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		// Go's path names the height too: tile/8/0/001 is tile/0/001 here
		b, err := ioutil.ReadFile(filepath.Join(r.dir, "tile", t.Path()[len("tile/8/"):]))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func must(err error, what string) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

func entries(dir string, n, size int64) [][]byte {
	t := tlog.Tile{H: 8, L: 0, N: n / 256, W: 256}
	if size-n < 256 {
		t.W = int(size - n)
	}
	b, err := ioutil.ReadFile(filepath.Join(dir, "tile", "entries", t.Path()[len("tile/8/0/"):]))
	must(err, "entries")
	var out [][]byte
	for len(b) > 0 {
		k := int(b[0])<<8 | int(b[1])
		out = append(out, b[2:2+k])
		b = b[2+k:]
	}
	return out
}

func main() {
	dir := os.Args[1]
	size, err := strconv.ParseInt(os.Args[2], 10, 64)
	must(err, "size")
	var root tlog.Hash
	if os.Args[3] == "-" {
		var stored []tlog.Hash
		for n := int64(0); n < size; n += 256 {
			for i, e := range entries(dir, n, size) {
				h, err := tlog.StoredHashes(n+int64(i), e, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
					var out []tlog.Hash
					for _, j := range ix {
						out = append(out, stored[j])
					}
					return out, nil
				}))
				must(err, "hash")
				stored = append(stored, h...)
			}
		}
		root, err = tlog.TreeHash(size, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
			var out []tlog.Hash
			for _, j := range ix {
				out = append(out, stored[j])
			}
			return out, nil
		}))
		must(err, "root")
	} else {
		root, err = tlog.ParseHash(os.Args[3])
		must(err, "root")
	}
	tree := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, reader{dir})
	proven := 0
	step := size/2000*256 + 256 // of a long log, some of the entry files
	for n := int64(0); n < size; n += step {
		n = n / 256 * 256
		for i, e := range entries(dir, n, size) {
			p, err := tlog.ProveRecord(size, n+int64(i), tree)
			must(err, "prove")
			must(tlog.CheckRecord(p, size, root, n+int64(i), tlog.RecordHash(e)), "record")
			if tlog.CheckRecord(p, size, root, n+int64(i), tlog.RecordHash(append([]byte("x"), e...))) == nil {
				fmt.Println("another record is accepted")
				os.Exit(1)
			}
			proven++
		}
	}
	grown := 0
	for _, old := range []int64{1, 2, 255, 256, 257, size / 2, size - 1, size} {
		if old < 1 || old > size {
			continue
		}
		h, err := tlog.TreeHash(old, tree)
		must(err, "older root")
		p, err := tlog.ProveTree(size, old, tree)
		must(err, "growth")
		must(tlog.CheckTree(p, size, root, old, h), "growth")
		if old < size {
			h[0] ^= 1
			if tlog.CheckTree(p, size, root, old, h) == nil {
				fmt.Println("a false growth is accepted")
				os.Exit(1)
			}
		}
		grown++
	}
	fmt.Println(proven, "records and", grown, "older sizes proven from tiles")
}
