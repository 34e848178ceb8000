package prompts

// Parser reads what a model wrote. The zero value is ready to use.
type Parser struct{}
