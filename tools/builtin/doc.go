// Package builtin has tools that most agents want: arithmetic, the time, units, and files in a folder that they cannot leave.
//
// Each has a constructor; [All] makes the whole set. None of them writes or reaches the network.
package builtin
