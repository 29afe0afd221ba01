// Package config reads the service's settings from environment variables.
package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Kafka says where orders come from. Without Enabled the service runs with its HTTP API alone.
type Kafka struct {
	Enabled bool
	Brokers []string
	Topic   string
	GroupID string
}

// Config is everything that the programs can be told.
type Config struct {
	Kafka Kafka
	// HTTPAddress is where the API listens; port 0 takes a free one.
	HTTPAddress string
	// OrderStore is "memory" or the path of a folder that holds one file per order.
	OrderStore string
}

// FromEnvironment gives the settings of this process; what is not set has a default.
func FromEnvironment() (Config, error) {
	enabled, err := strconv.ParseBool(value("KAFKA_ENABLED", "true"))
	if err != nil {
		return Config{}, fmt.Errorf("KAFKA_ENABLED: %w", err)
	}
	return Config{
		Kafka: Kafka{
			Enabled: enabled,
			Brokers: strings.Split(value("KAFKA_BROKERS", "localhost:9092"), ","),
			Topic:   value("KAFKA_TOPIC", "orders"),
			GroupID: value("KAFKA_GROUP_ID", "wildberries-order-service"),
		},
		HTTPAddress: value("HTTP_ADDRESS", "localhost:8081"),
		OrderStore:  value("ORDER_STORE", "memory"),
	}, nil
}

func value(name, byDefault string) string {
	if set := os.Getenv(name); set != "" {
		return set
	}
	return byDefault
}
