#include "app/cluster/samples.h"

#include <map>
#include <string>
#include <utility>

namespace brigade::app {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

api::SampledFamily family(const char* name, const char* help, bool counter) {
  return {.name = name, .help = help, .counter = counter, .samples = {}};
}

void add(api::SampledFamily& family, Labels labels, std::uint64_t value) {
  family.samples.push_back({.labels = std::move(labels), .value = static_cast<double>(value)});
}

api::SampledFamily counter(const char* name, const char* help, std::uint64_t value) {
  auto one = family(name, help, true);
  add(one, {}, value);
  return one;
}

api::SampledFamily both_ways(const char* name, const char* help, std::uint64_t in,
                             std::uint64_t out) {
  auto both = family(name, help, true);
  add(both, {{"direction", "in"}}, in);
  add(both, {{"direction", "out"}}, out);
  return both;
}

}  // namespace

std::vector<api::SampledFamily> sample(const Membership& membership) {
  std::map<std::string, std::uint64_t> states{{"alive", 0}, {"suspect", 0}, {"dead", 0}};
  for (const gossip::Member& member : membership.core().members()) {
    ++states[to_text(member.state)];
  }
  auto members = family("brigade_gossip_members", "Members known here by state.", false);
  for (const auto& [state, count] : states) {
    add(members, {{"state", state}}, count);
  }
  auto health = family("brigade_gossip_health",
                       "0: this node answers probes in time; more: it finds itself slow.", false);
  add(health, {}, membership.core().health());
  const gossip::Stats& stats = membership.core().stats();
  return {std::move(members), std::move(health),
          counter("brigade_gossip_probes_total", "Members asked whether they live.", stats.probes),
          counter("brigade_gossip_probes_failed_total", "Those that did not answer in time.",
                  stats.probes_failed),
          counter("brigade_gossip_dropped_total",
                  "Messages of other clusters, and those that made no sense.", stats.dropped)};
}

std::vector<api::SampledFamily> sample(const Peers& peers) {
  const net::MeshCounters& mesh = peers.mesh_counters();
  const net::GossipSocket::Counters& gossip = peers.gossip_counters();
  auto dropped =
      family("brigade_peer_frames_dropped_total", "Frames to peers that were not sent.", true);
  add(dropped, {{"reason", "queue_full"}}, mesh.dropped_full);
  add(dropped, {{"reason", "not_connected"}}, mesh.dropped_down);
  add(dropped, {{"reason", "too_late"}}, peers.counters().late);
  auto refused = family("brigade_peer_connections_refused_total",
                        "Connections between nodes that one side refused.", true);
  add(refused, {{"by", "this_node"}}, mesh.refused_here);
  add(refused, {{"by", "the_other"}}, mesh.refused_there);
  return {both_ways("brigade_gossip_datagrams_total", "Datagrams.", gossip.in, gossip.out),
          both_ways("brigade_gossip_datagram_bytes_total", "Bytes of datagrams.", gossip.bytes_in,
                    gossip.bytes_out),
          both_ways("brigade_peer_frames_total", "Messages between nodes over TCP.", mesh.frames_in,
                    mesh.frames_out),
          both_ways("brigade_peer_bytes_total", "Their bytes.", mesh.bytes_in, mesh.bytes_out),
          std::move(dropped),
          std::move(refused),
          counter("brigade_peer_malformed_total",
                  "Connections and messages dropped because they made no sense.",
                  mesh.broken + peers.counters().malformed)};
}

std::vector<api::SampledFamily> sample(const Doors& doors) {
  auto open = family("brigade_door_connections", "Open connections of clients.", false);
  add(open, {{"door", "redis"}}, doors.redis_connections());
  add(open, {{"door", "http"}}, doors.http_connections());
  return {std::move(open)};
}

}  // namespace brigade::app
