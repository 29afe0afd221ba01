// The order service: reads orders from Kafka, stores the valid ones and shows them over HTTP.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ringlog-order-service/internal/config"
	"ringlog-order-service/internal/kafka"
	"ringlog-order-service/internal/order"
	"ringlog-order-service/internal/web"
)

const drainMax = 5 * time.Second

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	cfg, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	stop, released := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer released()
	store := order.OpenRepository(cfg.OrderStore)
	consumer, err := kafka.NewConsumer(&cfg.Kafka, store)
	if err != nil {
		return err
	}
	var stats func() kafka.Stats
	if consumer != nil {
		stats = consumer.Stats
		consumer.Start()
		defer consumer.Stop()
	} else {
		log.Print("KAFKA_ENABLED is false: HTTP only")
	}
	return serve(stop, cfg.HTTPAddress, web.API(store, stats))
}

// serve returns when it is told to stop and the requests under way are answered.
func serve(stop context.Context, address string, api http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Printf("listens on http://%s", listener.Addr())
	server := &http.Server{Handler: api, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err = <-failed:
		return err
	case <-stop.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainMax)
	defer cancel()
	return server.Shutdown(drain)
}
