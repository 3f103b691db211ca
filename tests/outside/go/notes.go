// SPDX-License-Identifier: Apache-2.0

// notes VKEY FILE...: opens each file as a signed note with Go's own reader and prints, one a line,
// what it says: accepted, malformed or bad, and the file's name.
package main

import (
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	v, err := note.NewVerifier(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, name := range os.Args[2:] {
		msg, err := ioutil.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		verdict := "accepted"
		if _, err := note.Open(msg, note.VerifierList(v)); err != nil {
			verdict = "bad"
			if err.Error() == "malformed note" {
				verdict = "malformed"
			}
		}
		fmt.Println(verdict, filepath.Base(name))
	}
}
