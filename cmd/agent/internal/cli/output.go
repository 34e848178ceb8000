package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// output is the standard output of a run. It keeps the first error of writing, so that a command that prints line by line
// and asks after none of them still fails when its data is lost: on a full disk, for example.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// failure is the error of a run that has printed to o: its own, else that of writing.
func (o *output) failure(err error) error {
	if err == nil && o.err != nil {
		return fmt.Errorf("writing output: %w", o.err)
	}
	return err
}

// terminalWidth is the number of columns of the terminal that w writes to; ok is false if it writes to none.
func terminalWidth(w io.Writer) (columns int, ok bool) {
	if o, is := w.(*output); is {
		w = o.w
	}
	file, is := w.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil || columns < 1 {
		columns = 80 // a terminal that does not say
	}
	return columns, true
}
