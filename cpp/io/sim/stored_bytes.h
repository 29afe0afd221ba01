#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace ringlog::io::sim {

// How often each thing happened, by name; a run prints it, and a test fails on a zero.
using event_counts = std::map<std::string, std::uint64_t>;

// The content of one simulated file twice: as programs see it, and as a crash would leave it.
//
// Fault model. Between the two stand the changes not yet synced. At a crash
//  - each sector of a file that has unsynced writes keeps a random number of them, oldest first:
//    sectors are atomic, writes are not, and no order holds between sectors;
//  - changes of size take effect in the order made, up to a random one; what was written after a
//    lost change of size is lost;
//  - a file whose end was written but lost may still have the new size, with zeros;
//  - each write under way (submitted to an engine, its end not yet reported) keeps any subset of
//    its sectors, by itself: a later one may be there whole and an earlier one not at all.
// Synced bytes are never touched. The first change after a failed sync is as any other, but what
// the failed sync covered is lost to the durable side although reads still show it: a kernel that
// could not write a page marks it clean, and no later sync writes it.
class stored_bytes {
 public:
  const byte_buffer& content() const { return content_; }
  const byte_buffer& durable() const { return durable_; }
  bool is_clean() const { return pending_.empty(); }

  struct write_under_way {
    std::uint64_t position = 0;
    byte_buffer bytes;
  };

  // The write is under way while what this returns lives.
  std::shared_ptr<const write_under_way> begin_write(std::uint64_t position, byte_buffer bytes);

  // The power fails: what is under way at this moment is for crash() to decide.
  void cut_off();

  void write(std::uint64_t position, bytes_view source);
  void resize(std::uint64_t size);

  // Everything so far is durable.
  void sync();

  // The last write, of this range, is durable, with the sectors it lies in; other unsynced bytes
  // stay unsynced (RWF_DSYNC promises no more), unless a change of size stands before it.
  void sync_range(std::uint64_t position, std::uint64_t size, std::uint64_t sector_bytes);

  // Some of the unsynced changes become durable, the others never will.
  void fail_sync(random_source& random);

  // What a crash leaves becomes both sides.
  void crash(random_source& random, std::uint64_t sector_bytes, event_counts& events);

  // Media decay: both sides lose one bit of the range. Does nothing where the file ends before it.
  void flip_bit(random_source& random, std::uint64_t position, std::uint64_t size);

 private:
  struct change {
    bool is_resize = false;
    bool is_under_way = false;
    std::uint64_t position = 0;  // the new size of a resize
    byte_buffer bytes;
  };

  static void write_into(byte_buffer& target, std::uint64_t position, bytes_view source);
  static void apply(byte_buffer& target, const change& one);
  std::size_t surviving_changes(random_source& random) const;
  class crash_dice;
  void crash_write(const change& one, std::size_t age, crash_dice& dice, event_counts& events);

  byte_buffer content_;
  byte_buffer durable_;
  std::vector<change> pending_;  // those under way last
  std::vector<std::weak_ptr<const write_under_way>> under_way_;
};

}  // namespace ringlog::io::sim
