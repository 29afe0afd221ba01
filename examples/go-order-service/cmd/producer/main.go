// The producer tool: sends one order, -count test orders, or the order of a file.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"

	"ringlog-order-service/internal/config"
	"ringlog-order-service/internal/kafka"
	"ringlog-order-service/internal/order"
)

func main() {
	test := flag.Bool("test", false, "send -count test orders, in the background")
	count := flag.Int("count", 1, "how many, with -test")
	file := flag.String("file", "", "send the order of this JSON file")
	flag.Parse()
	if flag.NArg() > 0 || *count < 1 || *test && *file != "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*test, *count, *file); err != nil {
		log.Fatal(err)
	}
}

func run(test bool, count int, file string) (err error) {
	cfg, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	if !cfg.Kafka.Enabled {
		return errors.New("KAFKA_ENABLED is false: nothing is sent")
	}
	producer, err := kafka.NewProducer(&cfg.Kafka)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, producer.Close()) }()
	if test {
		for number := range count {
			producer.SendOrderAsync(order.Sample(number))
		}
		return nil
	}
	one := order.Sample(0)
	if file != "" {
		if one, err = fromFile(file); err != nil {
			return err
		}
	}
	if err = producer.SendOrder(one); err != nil {
		return fmt.Errorf("order %s was not sent: %w", one.ID, err)
	}
	fmt.Printf("sent order %s to %s\n", one.ID, cfg.Kafka.Topic)
	return nil
}

func fromFile(path string) (one order.Order, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return one, err
	}
	if err = json.Unmarshal(text, &one); err != nil {
		return one, fmt.Errorf("%s: %w", path, err)
	}
	if err = one.Validate(); err != nil {
		return one, fmt.Errorf("%s: %w", path, err)
	}
	return one, nil
}
