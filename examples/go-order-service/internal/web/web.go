// Package web is the service's HTTP API.
package web

import (
	"encoding/json"
	"log"
	"net/http"

	"ringlog-order-service/internal/kafka"
	"ringlog-order-service/internal/order"
)

// API answers GET /orders, /order/{id} and /stats; stats is nil where Kafka is switched off.
func API(store order.Repository, stats func() kafka.Stats) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, _ *http.Request) {
		orders, err := store.All()
		reply(w, orders, true, err)
	})
	mux.HandleFunc("GET /order/{id}", func(w http.ResponseWriter, r *http.Request) {
		order, found, err := store.ByID(r.PathValue("id"))
		reply(w, order, found, err)
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		if stats == nil {
			reply(w, nil, false, nil)
			return
		}
		reply(w, stats(), true, nil)
	})
	return mux
}

func reply(w http.ResponseWriter, body any, found bool, err error) {
	if err != nil {
		log.Printf("http: %v", err)
		http.Error(w, "the orders cannot be read", http.StatusInternalServerError)
		return
	}
	if !found {
		http.Error(w, "there is none", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Printf("http: %v", err)
	}
}
