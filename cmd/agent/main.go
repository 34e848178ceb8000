// Command agent runs Llama 3.2 with tools inside its own process. See the package below it, internal/cli, for the commands.
package main

import (
	"os"

	"github.com/drover-ai/drover/cmd/agent/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
