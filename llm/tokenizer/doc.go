// Package tokenizer turns text into the tokens of Llama 3 and back: byte-level byte-pair encoding.
//
// Text is cut into pieces as Llama 3 does it (words with the space before them, up to three digits, runs of symbols or of
// spaces), each piece becomes its token if it has one, and else the merge of its bytes: again and again the adjacent pair
// is joined whose result has the lowest id. Any bytes can be encoded and come back unchanged; a byte that is not UTF-8
// counts as a symbol.
//
// Special tokens, such as <|eot_id|>, are never made from text that somebody else had a hand in: [Tokenizer.Encode] takes
// them for text, [Tokenizer.EncodeSegments] recognizes them in trusted segments only.
//
// A vocabulary comes from a model file ([FromGGUF]), from Meta's tokenizer.model ([FromTiktoken]) or from Hugging Face's
// tokenizer.json ([FromHuggingFace]).
package tokenizer
