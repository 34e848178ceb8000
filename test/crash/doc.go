// Package crash kills agents in the middle of their work and looks at what is left.
package crash
