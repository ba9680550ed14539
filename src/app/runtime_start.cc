// How a node comes up: from its data directory to a member with open doors.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include <asio/ip/tcp.hpp>
#include <spdlog/spdlog.h>

#include "api/limits_file.h"
#include "app/runtime.h"
#include "base/hex.h"
#include "host/entropy.h"
#include "host/file_limit.h"
#include "net/hello.h"
#include "storage/replica_turn.h"
#include "wire/publish_codec.h"

namespace brigade::app {
namespace {

// When and how often a node that is not ready says what it waits for: once it has heard of those
// that it asked.
constexpr base::Duration kExplainAfter = base::milliseconds(2500);
constexpr base::Duration kExplainEvery = base::seconds(5);

// Connections of each front door and of peers at most, of so many open files. A quarter stays for
// the store and for connections that this node opens: without those it would have to stop.
constexpr std::size_t kFilesWanted = 32'768;
std::size_t connections_max(std::size_t files) {
  return std::min<std::size_t>(10'000, files / 4);
}

// Half of --memory-max is for keys, at what one costs while its table has just grown: a slow one,
// they are the larger.
constexpr std::uint64_t kKeyBytes = 64;
std::size_t keys_max(std::uint64_t memory_max) {
  return memory_max == 0 ? SIZE_MAX : memory_max / 2 / kKeyBytes;
}

std::set<asio::ip::address> addresses_of(asio::io_context& io, const net::HostPort& address) {
  std::error_code ignored;
  asio::ip::tcp::resolver resolver(io);
  std::set<asio::ip::address> all;
  for (const auto& one : resolver.resolve(address.host, std::to_string(address.port), ignored)) {
    all.insert(one.endpoint().address());
  }
  return all;
}

}  // namespace

base::Status Runtime::read_limits() {
  if (options_.limits.empty()) {
    return base::ok();
  }
  std::ifstream file(options_.limits);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || std::filesystem::is_directory(options_.limits)) {
    return base::Error{"--limits " + options_.limits + ": cannot be read"};
  }
  auto limits = api::read_limits(text.str(), options_.limits);
  if (!limits) {
    return limits.error();
  }
  limits_ = std::move(limits).value();
  return base::ok();
}

// Only a cluster that has no limits takes them from a file.
void Runtime::declare_limits() {
  auto limits = std::exchange(limits_, {});
  if (limits.empty() || !node_->limits().empty()) {
    return;
  }
  desk_.admin(node::PutLimits{.limits = std::move(limits), .prune = false},
              [](const node::AdminReply& reply) {
                if (const auto* refusal = std::get_if<node::Refusal>(&reply)) {
                  spdlog::error("--limits: {}", refusal->message);
                } else {
                  spdlog::info("--limits: declared");
                }
              });
}

base::Status Runtime::identify(storage::Disk& disk, const storage::Contents& contents) {
  auto facts = read_facts(contents);
  if (!facts) {
    return base::Error{"--data " + options_.data + ": " + facts.error().message};
  }
  facts_ = std::move(facts).value();
  auto grounds = storage::replica_grounds(contents);
  if (!grounds) {
    return base::Error{"--data " + options_.data +
                       ": a fact about its replicas is malformed: it is damaged, or of another "
                       "version of brigade"};
  }
  grounds_ = *std::move(grounds);
  if (facts_.left) {
    return base::Error{"--data " + options_.data +
                       ": its node left the cluster for good; start with an empty directory to "
                       "join anew"};
  }
  if (!facts_.id) {
    facts_.id = host::draw_node_id();
  }
  if (facts_.charter && facts_.charter->cluster_name != options_.cluster) {
    return base::Error{"--data " + options_.data + " belongs to the cluster \"" +
                       facts_.charter->cluster_name + "\", not to --cluster " + options_.cluster +
                       ": name that one, or another directory"};
  }
  storage::Turn turn;
  turn.identity = started(facts_.id, ++facts_.starts);
  if (auto status = disk.commit(turn); !status) {
    return status;
  }
  boot_ = host::draw_boot();
  if (options_.name.empty()) {
    options_.name = "node-" + base::text(facts_.id).substr(0, 6);
  }
  return base::ok();
}

base::Status Runtime::open_peers() {
  const auto wanted = net::parse_host_port(options_.peer);
  if (!wanted) {
    return wanted.error();
  }
  auto sockets = net::bind_peer_sockets(io_, *wanted);
  if (!sockets) {
    return sockets.error();
  }
  const auto advertised = net::advertised_address(sockets->bound, options_.advertise);
  if (!advertised) {
    return advertised.error();
  }
  advertised_ = advertised->text();
  net::MeshOptions mesh{
      .self = {.node = facts_.id, .boot = boot_, .name = options_.name, .advertised = advertised_},
      .seed = host::draw_seed()};
  mesh.limits.inlets = std::min(mesh.limits.inlets, connections_max(files_));
  if (facts_.charter) {
    mesh.self.cluster = facts_.charter->cluster;
  }
  peers_ = std::make_unique<Peers>(io_, std::move(sockets).value(), mesh, *this);
  return base::ok();
}

// The seeds, once each, with this node's own address as it is told to others: a seed list may well
// name this node otherwise than --advertise does.
std::vector<std::string> Runtime::canonical_seeds() {
  const auto self = net::parse_host_port(advertised_);
  std::vector<std::string> seeds;
  std::set<std::string> known;
  for (const std::string& seed : options_.seeds) {
    const auto address = net::parse_host_port(seed);
    std::string text = address->text();
    if (text != advertised_ && address->port == self->port) {
      const auto ours = addresses_of(io_, *self);
      const auto theirs = addresses_of(io_, *address);
      for (const auto& one : theirs) {
        text = ours.contains(one) ? advertised_ : text;
      }
    }
    if (known.insert(text).second) {
      seeds.push_back(text);
    }
  }
  return seeds;
}

base::Status Runtime::open() {
  files_ = host::raise_file_limit(kFilesWanted);
  if (auto status = read_limits(); !status) {
    return status;
  }
  auto disk = storage::Disk::open(options_.data);
  if (!disk) {
    return disk.error();
  }
  auto contents = (*disk)->load();
  if (!contents) {
    return contents.error();
  }
  if (auto status = identify(**disk, *contents); !status) {
    return status;
  }
  timer_ = std::make_unique<net::DeadlineTimer>(io_, [this] { turn(); });
  storage_ = std::make_unique<StorageThread>(io_, std::move(disk).value(),
                                             [this](const base::Error& error) {
                                               spdlog::critical("{}", error.message);
                                               stop(3);
                                             });
  if (auto status = open_peers(); !status) {
    return status;
  }
  if (auto status = doors_.open(io_, options_,
                                {.host = net::parse_host_port(advertised_)->host,
                                 .connections_max = connections_max(files_)},
                                desk_);
      !status) {
    return status;
  }
  explain_at_ = clock_.now().slow + kExplainAfter;
  begin_founding();
  if (facts_.charter) {
    start_node(*facts_.charter, std::move(contents->groups));
  }
  return base::ok();
}

ClusterSettings Runtime::wished_settings() const {
  ClusterSettings settings;
  settings.shards = options_.shards.value_or(settings.shards);
  settings.replicas = options_.replicas.value_or(settings.replicas);
  return settings;
}

// The cluster was founded with something else. No reason not to start: a node that is missing would
// be worse than a flag without effect.
void Runtime::compare_settings(const ClusterSettings& founded) const {
  const auto compare = [](const char* flag, std::optional<std::uint32_t> wished,
                          std::uint32_t real) {
    if (wished && *wished != real) {
      spdlog::warn(
          "{0} {1} has no effect: the cluster was founded with {0} {2}, which cannot be changed; "
          "leave the flag out, or found a new cluster in empty directories",
          flag, *wished, real);
    }
  };
  compare("--shards", options_.shards, founded.shards);
  compare("--replicas", options_.replicas, founded.replicas);
}

void Runtime::begin_founding() {
  gossip::FoundingConfig config{
      .self = {.id = facts_.id, .name = options_.name, .address = advertised_},
      .cluster_name = options_.cluster,
      .seeds = canonical_seeds(),
      .expect = options_.expect.value_or(0),
      .settings = encode(wished_settings())};
  founder_ = std::make_unique<Founder>(
      Founder::Outside{
          .peers = *peers_,
          .storage = *storage_,
          .clock = clock_,
          .touch = [this] { touch(); },
          .founded =
              [this](const gossip::Charter& charter) {
                if (!facts_.charter) {
                  const std::size_t nodes = charter.founders.size();
                  spdlog::info("cluster {} founded with {} node{}", base::text(charter.cluster),
                               nodes, nodes == 1 ? "" : "s");
                  const auto settings = decode_settings(charter.settings.view());
                  become_member(charter, settings ? first_groups(charter, *settings, facts_.id)
                                                  : std::vector<storage::GroupTurn>());
                }
              },
          .joined =
              [this](const gossip::Charter& charter) {
                if (!facts_.charter) {
                  spdlog::info("joining cluster {}", base::text(charter.cluster));
                  become_member(charter, {});
                }
              },
          .refused =
              [this](const std::string& problem, bool fatal) {
                if (fatal && !facts_.charter) {
                  fail(problem);
                } else {
                  spdlog::warn("{}", problem);
                }
              }},
      std::move(config), facts_.founding, base::Prng(host::draw_seed()));
}

void Runtime::become_member(const gossip::Charter& charter,
                            std::vector<storage::GroupTurn> groups) {
  facts_.charter = charter;
  peers_->join(charter.cluster);
  std::map<base::ShardId, storage::GroupContents> contents;
  for (const storage::GroupTurn& group : groups) {
    raft::Restored& raft = contents[group.group].raft;
    raft.hard = *group.hard;
    raft.snapshot.last = group.install->mark.last;
    raft.snapshot.conf = group.install->mark.conf;
  }
  storage::Turn turn{.identity = app::became_member(charter), .groups = std::move(groups)};
  storage_->submit(std::move(turn), [this, charter, contents = std::move(contents)] {
    start_node(charter, contents);
  });
}

void Runtime::start_node(const gossip::Charter& charter,
                         std::map<base::ShardId, storage::GroupContents> groups) {
  const auto settings = decode_settings(charter.settings.view());
  if (!settings) {
    return fail("the cluster's settings are of another version of brigade");
  }
  compare_settings(*settings);
  const base::Instant now = clock_.now();
  node::NodeConfig config{.id = facts_.id,
                          .boot = boot_,
                          .name = options_.name,
                          .addresses = {.peer = advertised_,
                                        .redis = doors_.redis_address(),
                                        .http = doors_.http_address(),
                                        .envoy = "off"},
                          .home = {.region = options_.region, .zone = options_.zone},
                          .shards = settings->shards,
                          .replicas = settings->replicas,
                          .replace_after = options_.replace_after,
                          .bms_term = options_.bms_term,
                          .key_seed = charter.cluster.low,
                          .keys_max = keys_max(options_.memory_max)};
  config.session.start = facts_.starts;
  node_ =
      std::make_unique<node::Node>(std::move(config), codec_, base::Prng(host::draw_seed()), now);
  for (const auto& [shard, ground] : grounds_) {
    if (ground.removed) {
      node_->had_replica(shard, ground.id);
    } else {
      groups.try_emplace(shard);  // begun, and nothing came yet
    }
  }
  for (auto& [shard, group] : groups) {
    auto state = storage::replica_state(std::move(group), codec_);
    if (!state) {
      return fail("shard " + std::to_string(shard.value()) + ": " + state.error().message);
    }
    const auto ground = grounds_.find(shard);
    const auto self = ground == grounds_.end() ? node::replica_id(facts_.id, 0) : ground->second.id;
    node_->add_replica(node_->replica_config(shard, self), std::move(state).value(), now);
  }
  desk_.serve(*node_, {.version = BRIGADE_VERSION,
                       .cluster = charter.cluster,
                       .cluster_name = charter.cluster_name});
  start_membership(charter);
  touch();
}

void Runtime::start_membership(const gossip::Charter& charter) {
  gossip::Identity self{.cluster = charter.cluster,
                        .cluster_name = charter.cluster_name,
                        .id = facts_.id,
                        .name = options_.name,
                        .address = advertised_,
                        .meta = {},
                        .incarnation = gossip::Incarnation::of_start(facts_.starts)};
  auto meta = wire::encode(node::MemberMeta{.redis = doors_.redis_address(),
                                            .http = doors_.http_address(),
                                            .envoy = "off",
                                            .region = options_.region,
                                            .zone = options_.zone,
                                            .version = BRIGADE_VERSION});
  if (!meta) {
    return fail(meta.error().message);
  }
  self.meta = std::move(meta).value();
  membership_ =
      std::make_unique<Membership>(Membership::Outside{.peers = *peers_,
                                                       .node = *node_,
                                                       .clock = clock_,
                                                       .touch = [this] { touch(); },
                                                       .refused =
                                                           [this](const std::string& problem) {
                                                             if (announced_) {
                                                               spdlog::error("{}", problem);
                                                             } else {
                                                               fail(problem);
                                                             }
                                                           }},
                                   std::move(self), base::Prng(host::draw_seed()));
  // The founders as well: a restart needs no seed list.
  std::vector<std::string> seeds = canonical_seeds();
  for (const gossip::Founder& founder : charter.founders) {
    seeds.push_back(founder.address);
  }
  std::erase(seeds, advertised_);
  membership_->join(std::move(seeds));
}

void Runtime::fail(const std::string& problem) {
  std::fprintf(stderr, "brigade node: %s\n", problem.c_str());
  stop(2);
}

void Runtime::announce() {
  const base::Instant now = clock_.now();
  if (announced_) {
    return;
  }
  if (node_ && node_->ready(now)) {
    announced_ = true;
    declare_limits();
    std::fprintf(stderr, "ready name=%s peer=%s redis=%s http=%s envoy=off\n",
                 options_.name.c_str(), advertised_.c_str(), doors_.redis_address().c_str(),
                 doors_.http_address().c_str());
    return;
  }
  const std::string reason = node_ ? node_->not_ready_because(now) : founder_->waiting_for();
  desk_.explain(reason);
  if (now.slow >= explain_at_) {
    explain_at_ = now.slow + kExplainEvery;
    spdlog::log(node_ ? spdlog::level::info : spdlog::level::warn, "{}", reason);
  }
}

}  // namespace brigade::app
