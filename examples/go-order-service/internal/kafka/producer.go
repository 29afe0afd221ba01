package kafka

import (
	"encoding/json"
	"fmt"
	"log"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"

	"ringlog-order-service/internal/config"
	"ringlog-order-service/internal/order"
)

// Producer sends orders, keyed by ID. Any goroutine may call it until Close.
type Producer struct {
	topic   string
	sarama  sarama.AsyncProducer
	answers sync.WaitGroup
	unsent  atomic.Int64
}

// NewProducer connects to the brokers.
func NewProducer(cfg *config.Kafka) (*Producer, error) {
	connected, err := sarama.NewAsyncProducer(cfg.Brokers, producerSettings())
	if err != nil {
		return nil, fmt.Errorf("connecting to %v: %w", cfg.Brokers, err)
	}
	p := &Producer{topic: cfg.Topic, sarama: connected}
	p.answers.Go(func() {
		for message := range connected.Successes() {
			answer(message, nil)
		}
	})
	p.answers.Go(func() {
		for failed := range connected.Errors() {
			answer(failed.Msg, failed.Err)
		}
	})
	return p, nil
}

// SendOrder returns when the order is stored by the broker, or cannot be.
func (p *Producer) SendOrder(order order.Order) error {
	stored := make(chan error, 1)
	if err := p.send(order, func(err error) { stored <- err }); err != nil {
		return err
	}
	return <-stored
}

// SendOrderAsync returns at once; a failure is logged and told by Close.
func (p *Producer) SendOrderAsync(order order.Order) {
	failed := func(err error) {
		if err != nil {
			p.unsent.Add(1)
			log.Printf("order %s was not sent: %v", order.ID, err)
		}
	}
	if err := p.send(order, failed); err != nil {
		failed(err)
	}
}

// Close returns when every order that was given to the producer is sent or given up; an error when
// one of SendOrderAsync was given up.
func (p *Producer) Close() error {
	p.sarama.AsyncClose()
	p.answers.Wait()
	if unsent := p.unsent.Load(); unsent > 0 {
		return fmt.Errorf("%d orders were not sent", unsent)
	}
	return nil
}

func (p *Producer) send(order order.Order, answered func(error)) error {
	text, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("order %s as JSON: %w", order.ID, err)
	}
	p.sarama.Input() <- &sarama.ProducerMessage{
		Topic:    p.topic,
		Key:      sarama.StringEncoder(order.ID),
		Value:    sarama.ByteEncoder(text),
		Metadata: answered,
	}
	return nil
}

func answer(message *sarama.ProducerMessage, err error) {
	message.Metadata.(func(error))(err)
}
