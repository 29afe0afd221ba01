package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"ringlog-order-service/internal/config"
	"ringlog-order-service/internal/order"
)

const (
	retryWaitMin = 100 * time.Millisecond
	retryWaitMax = 5 * time.Second
)

// Stats is what a consumer has done so far and what it reads now.
type Stats struct {
	Connected  bool    `json:"connected"`
	Partitions []int32 `json:"partitions"`
	Processed  int64   `json:"processed"`
	Skipped    int64   `json:"skipped"`
	Retried    int64   `json:"retried"`
}

// Consumer is one member of the group. A message that is no JSON or no valid order is logged and
// counts as done. An order that cannot be stored is tried again, and until it is stored its offset
// is not committed: whoever gets the partition next reads it anew. At least once, then; the store
// keeps an order once.
type Consumer struct {
	topic  string
	store  order.Repository
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	runs   sync.WaitGroup

	processed, skipped, retried atomic.Int64

	mutex      sync.Mutex
	connected  bool
	partitions []int32
}

// NewConsumer connects to the brokers; nil without an error where Kafka is switched off.
func NewConsumer(cfg *config.Kafka, store order.Repository) (*Consumer, error) {
	if !cfg.Enabled {
		return nil, nil
	}
	group, err := sarama.NewConsumerGroup(cfg.Brokers, cfg.GroupID, consumerSettings())
	if err != nil {
		return nil, fmt.Errorf("connecting to %v: %w", cfg.Brokers, err)
	}
	return &Consumer{topic: cfg.Topic, store: store, group: group}, nil
}

// Start begins to read in the background.
func (c *Consumer) Start() {
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(context.Background())
	c.runs.Go(func() {
		for err := range c.group.Errors() {
			log.Printf("kafka: %v", err)
		}
	})
	c.runs.Go(func() {
		for ctx.Err() == nil { // each call is one generation of the group
			err := c.group.Consume(ctx, []string{c.topic}, c)
			if errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			}
			if err != nil {
				log.Printf("kafka: %v", err)
				wait(ctx, time.Second)
			}
		}
	})
}

// Stop commits what is done, leaves the group and returns when nothing runs any more.
func (c *Consumer) Stop() {
	c.cancel()
	if err := c.group.Close(); err != nil {
		log.Printf("kafka: %v", err)
	}
	c.runs.Wait()
}

// Stats may be asked at any time.
func (c *Consumer) Stats() Stats {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return Stats{
		Connected:  c.connected,
		Partitions: slices.Clone(c.partitions),
		Processed:  c.processed.Load(),
		Skipped:    c.skipped.Load(),
		Retried:    c.retried.Load(),
	}
}

// Setup is called by sarama at the start of a generation.
func (c *Consumer) Setup(session sarama.ConsumerGroupSession) error {
	partitions := slices.Clone(session.Claims()[c.topic])
	slices.Sort(partitions)
	c.reads(true, partitions)
	log.Printf("reads %s %v", c.topic, partitions)
	return nil
}

// Cleanup is called by sarama at the end of a generation.
func (c *Consumer) Cleanup(sarama.ConsumerGroupSession) error {
	c.reads(false, nil)
	return nil
}

// ConsumeClaim is called by sarama for each partition, on a goroutine of its own.
func (c *Consumer) ConsumeClaim(
	session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case message, more := <-claim.Messages():
			if !more || !c.handle(session.Context(), message) {
				return nil
			}
			session.MarkMessage(message, "")
		}
	}
}

// handle says whether the message is done with: stored, or not worth another try.
func (c *Consumer) handle(ctx context.Context, message *sarama.ConsumerMessage) bool {
	var received order.Order
	err := json.Unmarshal(message.Value, &received)
	if err == nil {
		err = received.Validate()
	}
	if err != nil {
		log.Printf("skips %s-%d@%d: %v", message.Topic, message.Partition, message.Offset, err)
		c.skipped.Add(1)
		return true
	}
	for pause := retryWaitMin; ; pause = min(2*pause, retryWaitMax) {
		if err = c.store.Save(received); err == nil {
			c.processed.Add(1)
			return true
		}
		log.Printf("order %s is not stored, tries again: %v", received.ID, err)
		c.retried.Add(1)
		if !wait(ctx, pause) {
			return false
		}
	}
}

func (c *Consumer) reads(connected bool, partitions []int32) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.connected, c.partitions = connected, partitions
}

func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
