package main

import (
	"fmt"
	"io"
	"os"
)

// output is standard output, and what first went wrong with it: verbs that print
// line by line need not ask after each, and yet none that was not heard to the
// end says that all went well.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// fault says what went wrong; nil if nothing did.
func (o *output) fault() error {
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("printing: %w", o.err)
}

// fileOf gives the file that w writes to, if it does.
func fileOf(w io.Writer) (f *os.File, ok bool) {
	if o, is := w.(*output); is {
		w = o.Writer
	}
	f, ok = w.(*os.File)
	return f, ok
}
