package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"

	"github.com/drover-ai/drover/tools"
	"github.com/drover-ai/drover/tools/mcp"
)

// Tools of ours are served, and what a server offers is used like a tool of ours. A server that is a program is started
// with mcp.Command(ctx, []string{"agent", "mcp", "serve"}, mcp.Options{}).
func Example() {
	type order struct {
		Dish string `json:"dish" jsonschema:"description=What to cook"`
	}
	kitchen, err := tools.New("order_food", "Order food from the kitchen.",
		func(_ context.Context, o order) (string, error) { return o.Dish + " is on its way", nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	registry, err := tools.NewRegistry(kitchen)
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := mcp.NewServer(registry, mcp.ServerOptions{Name: "restaurant"})
	if err != nil {
		fmt.Println(err)
		return
	}
	listener := httptest.NewServer(server.Handler())
	defer listener.Close()

	ctx := context.Background()
	client, err := mcp.Dial(ctx, listener.URL, mcp.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	registry, err = tools.NewRegistry(mcp.Combine([]tools.Tool{kitchen}, client)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, tool := range registry.Tools() {
		fmt.Println(tool.Definition().Name, "-", tools.EffectsOf(tool))
	}
	result, err := registry.Call(ctx, "restaurant_order_food", json.RawMessage(`{"dish": "dal"}`))
	fmt.Println(result.Content, err)
	// Output:
	// order_food - reads, writes, network
	// restaurant_order_food - reads, writes, network
	// dal is on its way <nil>
}
