package tools

import "context"

type idempotencyKey struct{}

// WithIdempotencyKey gives the calls under ctx a key; see [IdempotencyKey].
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// IdempotencyKey returns a text that is the same for every attempt of one call and different for every other call, also
// when the program ended between two attempts. A tool that orders, pays or sends hands it to the other side, which then
// does the thing once. It is "" where nobody gave a key.
func IdempotencyKey(ctx context.Context) string {
	key, _ := ctx.Value(idempotencyKey{}).(string)
	return key
}
