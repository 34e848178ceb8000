package tools_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/drover-ai/drover/tools"
)

// A tool is a Go function with a struct argument. The schema that models are shown comes from the struct.
func Example() {
	type order struct {
		Dish     string `json:"dish" jsonschema:"description=What to cook"`
		Portions int    `json:"portions,omitempty" jsonschema:"minimum=1,maximum=20"`
		Spice    string `json:"spice,omitempty" jsonschema:"enum=mild,enum=hot"`
	}
	kitchen, err := tools.New("order_food", "Order food from the kitchen.",
		func(_ context.Context, o order) (string, error) {
			return fmt.Sprintf("%d × %s, %s", max(1, o.Portions), o.Dish, o.Spice), nil
		}, tools.WithEffects(tools.Writes))
	if err != nil {
		fmt.Println(err)
		return
	}
	registry, err := tools.NewRegistry(kitchen)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	fmt.Println(string(kitchen.Definition().Parameters))

	result, err := registry.Call(ctx, "order_food", json.RawMessage(`{"dish": "dal", "portions": 2, "spice": "hot"}`))
	fmt.Println(result.Content, err)

	// What goes wrong is told in words that the model can act on.
	_, err = registry.Call(ctx, "order_food", json.RawMessage(`{"dish": "dal", "portions": "two", "spicy": true}`))
	fmt.Println(err)
	_, err = registry.Call(ctx, "food_order", nil)
	fmt.Println(err)
	// Output:
	// {"properties":{"dish":{"type":"string","description":"What to cook"},"portions":{"type":"integer","maximum":20,"minimum":1},"spice":{"type":"string","enum":["mild","hot"]}},"type":"object","required":["dish"]}
	// 2 × dal, hot <nil>
	// order_food: invalid arguments: /portions: got the string "two", want an integer; /spicy: unknown argument, known: dish, portions, spice
	// unknown tool "food_order": use one of order_food
}
