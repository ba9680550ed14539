// What can be set of the membership protocol, with defaults for one data centre and a rate limiter
// that wants to know within seconds. `reference` values: memberlist's LAN profile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace brigade::gossip {

using base::Duration;
using base::milliseconds;
using base::seconds;

// Bugs that a test can plant to see that its checkers notice. Never set outside tests.
enum class Plant : std::uint8_t {
  kNone,
  kRefuteKeepsIncarnation,  // refutes without raising the incarnation
  kOlderAliveResurrects,    // alive news of any incarnation brings back the dead
  kSuspicionNeverExpires,   // suspects stay suspects
  kOriginatorConfirms,      // the first accuser's repetitions count as confirmations
  kOlderDigestWins,         // the last digest to arrive wins, whatever its version
  kForgetsRetransmitLimit,  // news travels for ever
  kIgnoresPacketBudget,     // a datagram takes everything that waits
  kAcceptsOtherClusters,    // the cluster id is not looked at
};

struct Config {
  // Failure detection. One member per interval, shuffled round-robin; local health stretches the
  // interval up to health_max times. The indirect probes start after probe_timeout.
  Duration probe_interval = milliseconds(500);
  Duration probe_timeout = milliseconds(200);
  std::uint32_t indirect_probes = 3;
  std::uint32_t health_max = 8;

  // Suspicion: min = mult * max(1, log10(members)) * probe_interval, 3 s up to ten members; it
  // starts at max = min * max_mult and falls to min with `confirmations` independent accusers.
  std::uint32_t suspicion_mult = 6;
  std::uint32_t suspicion_max_mult = 4;
  std::uint32_t suspicion_confirmations = 3;

  // Dissemination: every interval to `fanout` random members; a piece of news is sent
  // retransmit_mult * ceil(log10(members + 1)) times, but at least 2 * members times up to
  // 16 members, where the logarithm is too small to reach everybody.
  Duration gossip_interval = milliseconds(200);
  std::uint32_t fanout = 3;
  std::uint32_t retransmit_mult = 4;
  // The dead are still told for this long, so that the falsely dead can object.
  Duration gossip_to_dead = seconds(30);

  // Encoded bytes of one datagram, below the Ethernet MTU less the IP and UDP headers. News and
  // digests take turns in choosing first, so that neither starves the other.
  std::size_t datagram_bytes = 1400;

  // Digests: an own one is published at most this often, and announced again unchanged so often.
  Duration digest_interval = seconds(1);
  Duration digest_repeat = seconds(5);
  // How often a node sends its own new digest, and how often it passes on another's.
  std::uint32_t digest_own_copies = 6;
  std::uint32_t digest_copies = 3;
  // Bytes per second that a node spends on digest gossip: `small_cluster` members or fewer get the
  // rich budget (every digest everywhere within about a second), `large_cluster` or more the lean
  // one, linear in between. What exceeds the lean budget is a random, fresh sample.
  std::uint32_t small_cluster = 64;
  std::uint32_t large_cluster = 100;
  std::int64_t digest_bytes_rich = 16'000;
  std::int64_t digest_bytes_lean = 1'500;

  // Push/pull with a random member; the interval grows by one multiple per doubling above 32.
  Duration sync_interval = seconds(10);
  // Every so often one dead or unseen address (a seed) is tried: heals partitions.
  Duration reconnect_interval = seconds(5);
  Duration join_retry = seconds(1);
  Duration stream_timeout = seconds(5);

  // A member dead or gone for this long is forgotten.
  Duration forget_after = std::chrono::hours(24);
  // How long a leaving node keeps telling.
  Duration leave_timeout = seconds(2);
  // A step this much later than next_deadline() shows that the process itself stood still: nobody
  // else is blamed for the time it lost.
  Duration late_step = milliseconds(100);

  Plant plant = Plant::kNone;
};

}  // namespace brigade::gossip
