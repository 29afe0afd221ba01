// Package kafka brings orders to a topic and from a topic to whoever stores them.
package kafka

import (
	"time"

	"github.com/IBM/sarama"
)

func producerSettings() *sarama.Config {
	settings := sarama.NewConfig()
	settings.ClientID = "order-producer"
	settings.Producer.RequiredAcks = sarama.WaitForAll
	settings.Producer.Retry.Max = 3
	settings.Producer.Compression = sarama.CompressionSnappy
	settings.Producer.Flush.Frequency = 500 * time.Millisecond
	settings.Producer.Return.Successes = true
	settings.Producer.Return.Errors = true
	return settings
}

func consumerSettings() *sarama.Config {
	settings := sarama.NewConfig()
	settings.ClientID = "order-service"
	settings.Consumer.Group.Session.Timeout = 10 * time.Second
	settings.Consumer.Group.Heartbeat.Interval = 3 * time.Second
	settings.Consumer.MaxProcessingTime = 2 * time.Minute
	settings.Consumer.Offsets.AutoCommit.Enable = true
	settings.Consumer.Offsets.Initial = sarama.OffsetOldest // orders sent before the first start
	settings.Consumer.Return.Errors = true
	return settings
}
