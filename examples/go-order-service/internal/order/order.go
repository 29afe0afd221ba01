// Package order holds what an order is, when it is valid, and where orders are kept.
package order

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// Item is one position of an order; the price is that of one piece, in cents.
type Item struct {
	SKU      string `json:"sku"`
	Price    int64  `json:"price"`
	Quantity int64  `json:"quantity"`
}

// Order is what a message of the topic holds, as JSON; its ID is the message's key.
type Order struct {
	ID         string    `json:"order_id"`
	CustomerID string    `json:"customer_id"`
	Items      []Item    `json:"items"`
	Total      int64     `json:"total"`
	PlacedAt   time.Time `json:"placed_at"`
}

// Validate names everything that is wrong with an order; nil says that it can be stored.
func (o Order) Validate() error {
	var faults []error
	if o.ID == "" {
		faults = append(faults, errors.New("order_id is empty"))
	}
	if o.CustomerID == "" {
		faults = append(faults, errors.New("customer_id is empty"))
	}
	if len(o.Items) == 0 {
		faults = append(faults, errors.New("there are no items"))
	}
	var sum int64
	for number, item := range o.Items {
		if item.SKU == "" || item.Price < 0 || item.Quantity < 1 {
			faults = append(faults, fmt.Errorf("item %d wants a sku, a price and a quantity", number))
		}
		sum += item.Price * item.Quantity
	}
	if sum != o.Total {
		faults = append(faults, fmt.Errorf("total is %d, its items cost %d", o.Total, sum))
	}
	return errors.Join(faults...)
}

// Sample makes a valid order with an ID of its own; the number varies what is ordered.
func Sample(number int) Order {
	items := []Item{{SKU: "lamp", Price: 3990, Quantity: 1}}
	if number%2 == 1 {
		items = append(items, Item{SKU: "chair", Price: 8900, Quantity: int64(1 + number%4)})
	}
	made := Order{
		ID:         fmt.Sprintf("test-%d-%s", number, rand.Text()),
		CustomerID: fmt.Sprintf("customer-%d", number%3),
		Items:      items,
		PlacedAt:   time.Now().UTC().Truncate(time.Millisecond),
	}
	for _, item := range items {
		made.Total += item.Price * item.Quantity
	}
	return made
}
