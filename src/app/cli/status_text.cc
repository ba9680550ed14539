#include "app/cli/status_text.h"

#include "app/cli/rate_unit.h"
#include "app/cli/table.h"

namespace brigade::cli {
namespace {

constexpr auto kLeft = Align::kLeft;
constexpr auto kRight = Align::kRight;

std::string number(const json& object, const char* key) {
  return at(object, key).is_number() ? number_text(number_at(object, key)) : "-";
}

// In the unit of the limit's own rate, a share's too.
RateUnit limit_unit(const json& limit) {
  return unit_of(number_at(at(limit, "configured"), "rate_per_s"));
}
std::string rate(const json& object, RateUnit unit) {
  return at(object, "rate_per_s").is_number() ? rate_text(number_at(object, "rate_per_s"), unit)
                                              : "-";
}

// Of keys, few tokens and strict limits no node has a part.
bool is_elsewhere(const json& limit) {
  const json& divided = at(limit, "divided");
  return divided.is_boolean() && !divided.get<bool>();
}

// "eu-1/a", "eu-1", "-".
std::string place(const json& object) {
  const std::string region = text_at(object, "region");
  const std::string zone = text_at(object, "zone");
  return or_dash(region + (zone.empty() ? "" : "/" + zone));
}

std::string node_line(const json& status) {
  const json& node = at(status, "node");
  const json& cluster = at(status, "cluster");
  const std::string where = place(node);
  const std::string version = text_at(node, "version");
  return printable("node " + text_at(node, "name") + (where == "-" ? "" : " in " + where) +
                   ", cluster " + text_at(cluster, "name") + ", up " +
                   span_text(number_at(node, "uptime_s")) +
                   (version.empty() ? "" : ", version " + version)) +
         '\n';
}

// What gossip thinks of it; a live one may have been told to hand its rights back.
std::string state_text(const json& member) {
  const std::string state = text_at(member, "state");
  return state == "alive" && flag_at(member, "draining") ? "draining" : state;
}

Table members_table(const std::vector<json>& members) {
  Table table({{"MEMBER", kLeft},
               {"STATE", kLeft},
               {"PEER", kLeft},
               {"REDIS", kLeft},
               {"HTTP", kLeft},
               {"PLACE", kLeft},
               {"CPU", kRight},
               {"MEMORY", kRight},
               {"P99 MS", kRight},
               {"OFFERED/S", kRight},
               {"BUSY", kLeft}});
  static const json kGone;
  for (const json& member : members) {
    const json& addresses = at(member, "addresses");
    const std::string state = text_at(member, "state");
    const json& load = state == "dead" || state == "left" ? kGone : at(member, "load");
    table.row(
        {text_at(member, "name"), state_text(member), or_dash(text_at(addresses, "peer")),
         or_dash(text_at(addresses, "redis")), or_dash(text_at(addresses, "http")), place(member),
         at(load, "cpu").is_number() ? percent_text(number_at(load, "cpu")) : "-",
         at(load, "memory_bytes").is_number() ? bytes_text(number_at(load, "memory_bytes")) : "-",
         number(load, "request_ms_p99"), number(load, "offered_per_s"),
         flag_at(load, "pressed") ? "yes" : "-"});
  }
  return table;
}

Table shards_table(const std::vector<json>& shards) {
  Table table({{"SHARD", kRight},
               {"LEADER", kLeft},
               {"TERM", kRight},
               {"LEADER FOR", kRight},
               {"VOTERS", kLeft},
               {"LEARNERS", kLeft},
               {"OUTGOING", kLeft},
               {"COMMIT", kRight},
               {"APPLIED", kRight}});
  for (const json& shard : shards) {
    const std::string leader = text_at(shard, "leader");
    table.row({number(shard, "id"), leader.empty() ? "none" : leader, number(shard, "term"),
               leader.empty() ? "-" : span_text(number_at(shard, "leader_since_s")),
               or_dash(joined(texts_at(shard, "voters"))),
               or_dash(joined(texts_at(shard, "learners"))),
               or_dash(joined(texts_at(shard, "outgoing"))), number(shard, "commit"),
               number(shard, "applied")});
  }
  return table;
}

Table limits_table(const std::vector<json>& limits) {
  Table table({{"LIMIT", kLeft},
               {"MODE", kLeft},
               {"PER", kLeft},
               {"RATE", kRight},
               {"BURST", kRight},
               {"EFF. RATE", kRight},
               {"EFF. BURST", kRight},
               {"SHARD", kRight},
               {"POOL LEVEL", kRight}});
  for (const json& limit : limits) {
    const json& configured = at(limit, "configured");
    const json& effective = at(limit, "effective");
    const RateUnit unit = limit_unit(limit);
    table.row({text_at(limit, "name"), text_at(limit, "mode"), or_dash(text_at(limit, "per")),
               rate(configured, unit), number(configured, "burst"), rate(effective, unit),
               number(effective, "burst"), number(limit, "shard"),
               is_elsewhere(limit) ? "-" : number(at(limit, "pool"), "level")});
  }
  return table;
}

Table fairness_table(const std::vector<json>& limits) {
  Table table({{"FAIRNESS OF", kLeft},
               {"POLICY", kLeft},
               {"JAIN", kRight},
               {"MAX-MIN GAP", kRight},
               {"LEND BALANCE", kRight}});
  for (const json& limit : limits) {
    const json& fairness = at(limit, "fairness");
    if (fairness.is_object() && !is_elsewhere(limit)) {  // who decides for all is fair to all
      table.row({text_at(limit, "name"), text_at(fairness, "policy"), number(fairness, "jain"),
                 number(fairness, "max_min_gap"), number(fairness, "lend_balance")});
    }
  }
  return table;
}

// `limit` is a column of its own when `named`.
void add_buckets(Table& table, const json& limit, bool named) {
  for (const json& bucket : list_at(limit, "buckets")) {
    std::vector<std::string> cells;
    if (named) {
      cells.push_back(text_at(limit, "name"));
    }
    cells.push_back(text_at(bucket, "node"));
    const bool holds = !is_elsewhere(limit) || number_at(bucket, "size") > 0;
    cells.push_back(holds ? rate(bucket, limit_unit(limit)) : "-");
    for (const char* key : {"size", "level", "lent_total", "borrowed_total"}) {
      cells.push_back(holds ? number(bucket, key) : "-");
    }
    for (const char* key : {"admitted_total", "refused_total"}) {
      cells.push_back(number(bucket, key));
    }
    table.row(std::move(cells));
  }
}

Table buckets_table(bool named) {
  std::vector<Column> columns;
  if (named) {
    columns.push_back({"BUCKET", kLeft});
  }
  columns.push_back({"NODE", kLeft});
  for (const char* title : {"RATE", "SIZE", "LEVEL", "LENT", "BORROWED", "ADMITTED", "REFUSED"}) {
    columns.push_back({title, kRight});
  }
  return Table(std::move(columns));
}

}  // namespace

std::string members_text(const std::vector<json>& members) {
  return members_table(members).text();
}

std::string shards_text(const std::vector<json>& shards) {
  return shards_table(shards).text();
}

std::string limits_text(const std::vector<json>& limits) {
  return limits.empty() ? "no limits; declare some with `brigade limit apply FILE`\n"
                        : limits_table(limits).text();
}

std::string buckets_text(const json& limit) {
  const json& pool = at(limit, "pool");
  Table table = buckets_table(false);
  add_buckets(table, limit, false);
  const std::string held =
      is_elsewhere(limit) ? "kept by shard leaders; what each node was asked for:\n\n"
                          : "pool: rate " + rate(pool, limit_unit(limit)) + ", size " +
                                number(pool, "size") + ", level " + number(pool, "level") + "\n\n";
  return limits_table({limit}).text() + "\n" + held +
         (table.empty() ? "no buckets\n" : table.text());
}

std::string status_text(const json& status) {
  const auto& limits = list_at(status, "limits");
  std::string out = node_line(status);
  out += '\n' + members_text(list_at(at(status, "cluster"), "members"));
  out += '\n' + shards_text(list_at(status, "shards"));
  out += '\n' + limits_text(limits);
  Table buckets = buckets_table(true);
  for (const json& limit : limits) {
    add_buckets(buckets, limit, true);
  }
  if (!buckets.empty()) {
    out += '\n' + buckets.text();
  }
  const Table fairness = fairness_table(limits);
  return fairness.empty() ? out : out + '\n' + fairness.text();
}

}  // namespace brigade::cli
