// What the connections of one mesh share: who this node is, its bounds, its counters, its dice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <asio/io_context.hpp>

#include "base/prng.h"
#include "base/time.h"
#include "net/frame.h"
#include "net/hello.h"

namespace brigade::net {

struct MeshLimits {
  // Queued towards one peer on one lane; what comes on top is dropped.
  std::size_t urgent_bytes = std::size_t{8} << 20;
  std::size_t bulk_bytes = std::size_t{128} << 20;
  std::size_t frames = 65'536;

  std::size_t unknown_inlets = 256;  // accepted, not greeted yet; the oldest makes room
  std::size_t inlets = 4096;         // accepted altogether
  std::size_t strangers = 128;       // lanes from nodes that are not known (yet)
  std::size_t stranger_bytes = std::size_t{64} << 10;  // of one frame of theirs
  std::size_t pending_answers = 32;                    // questions that wait for their answer here
  std::size_t question_bytes = std::size_t{2} << 20;

  base::Duration dial_patience = base::seconds(3);
  base::Duration greeting_patience = base::seconds(5);
  base::Duration answer_patience = base::seconds(30);
  base::Duration retry_min = base::milliseconds(50);  // doubles with each failure, +- 50 %
  base::Duration retry_max = base::seconds(2);
  // A process of a peer is not replaced by another one before it was silent for so long.
  base::Duration silence = base::seconds(3);
};

// All since the start of the process.
struct MeshCounters {
  std::uint64_t frames_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t dropped_full = 0;  // frames: the queue was at its bound
  std::uint64_t dropped_down = 0;  // frames: no connection
  std::uint64_t dials_failed = 0;
  std::uint64_t refused_here = 0;     // connections that this node refused
  std::uint64_t refused_there = 0;    // connections that another node refused
  std::uint64_t broken = 0;           // connections closed for malformed bytes
  std::uint64_t accept_failures = 0;  // mostly: out of file descriptors
};

struct MeshCommons {
  asio::io_context& io;
  Hello self;
  base::Prng dice;
  MeshLimits limits;
  MeshCounters counters;
  std::function<void(const std::string& reason, bool sure)> doubled;  // MeshEvents::doubled

  // What a refusal says of this node itself.
  void heed(const Refused& refused) const {
    if (refused.code == Refusal::kSameNode || refused.code == Refusal::kDoubled) {
      doubled(refused.reason, refused.code == Refusal::kSameNode);
    }
  }
  [[nodiscard]] Hello hello(Purpose purpose) const {
    Hello mine = self;
    mine.purpose = purpose;
    return mine;
  }
};

}  // namespace brigade::net
