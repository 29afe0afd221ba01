package order

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// Repository keeps orders by ID. Any goroutine may call it; an order saved twice is there once.
type Repository interface {
	Save(order Order) error
	ByID(id string) (order Order, found bool, err error)
	// All gives every order, sorted by ID.
	All() ([]Order, error)
}

// OpenRepository gives the repository that the setting names: "memory" or a folder.
func OpenRepository(place string) Repository {
	if place == "memory" {
		return &memory{orders: map[string]Order{}}
	}
	return folder(place)
}

type memory struct {
	mutex  sync.RWMutex
	orders map[string]Order
}

func (m *memory) Save(order Order) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.orders[order.ID] = order
	return nil
}

func (m *memory) ByID(id string) (Order, bool, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	order, found := m.orders[id]
	return order, found, nil
}

func (m *memory) All() ([]Order, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	orders := make([]Order, 0, len(m.orders))
	for _, order := range m.orders {
		orders = append(orders, order)
	}
	return sorted(orders), nil
}

// folder holds a file per order, named after a hash of the ID, so that several instances can share
// it and no ID can name a file elsewhere. A file appears whole. The folder itself is not made: as
// long as it is missing, saving fails.
type folder string

const suffix = ".json"

func (f folder) path(id string) string {
	name := sha256.Sum256([]byte(id))
	return filepath.Join(string(f), hex.EncodeToString(name[:])+suffix)
}

func (f folder) Save(order Order) error {
	text, err := json.Marshal(order)
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(string(f), "*.part")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) // nothing is left of it when it got its name
	_, err = part.Write(text)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), f.path(order.ID))
}

func (f folder) ByID(id string) (Order, bool, error) {
	order, err := read(f.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return Order{}, false, nil
	}
	return order, err == nil, err
}

func (f folder) All() ([]Order, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	orders := make([]Order, 0, len(entries))
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), suffix) {
			continue
		}
		order, err := read(filepath.Join(string(f), entry.Name()))
		if err != nil {
			return nil, err
		}
		orders = append(orders, order)
	}
	return sorted(orders), nil
}

func read(path string) (order Order, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &order)
	}
	return order, err
}

func sorted(orders []Order) []Order {
	sort.Slice(orders, func(i, j int) bool { return orders[i].ID < orders[j].ID })
	return orders
}
