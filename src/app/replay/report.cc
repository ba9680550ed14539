#include "app/replay/report.h"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "app/cli/table.h"

namespace brigade::replay {
namespace {

using nlohmann::ordered_json;

// A whole number where it is one.
ordered_json tokens_json(Tokens amount) {
  if (amount.micro() % Tokens::kMicro == 0) {
    return amount.micro() / Tokens::kMicro;
  }
  return amount.as_double();
}

double microseconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e3;
}
double in_seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

void add_quantiles(ordered_json& json, const Quantiles& latency) {
  json["p50_us"] = microseconds(latency.p50);
  json["p99_us"] = microseconds(latency.p99);
  json["p999_us"] = microseconds(latency.p999);
}

ordered_json requests_json(const Tally& tally) {
  return {{"offered", tally.offered.requests},
          {"admitted", tally.admitted.requests},
          {"refused", tally.refused.requests},
          {"errors", tally.errors().requests},
          {"error_replies", tally.error_replies.requests},
          {"unanswered", tally.unanswered.requests},
          {"node_down", tally.node_down.requests},
          {"overflow", tally.overflow.requests}};
}

// admitted / yardstick; null when the yardstick is 0.
ordered_json share_json(Tokens part, Tokens whole) {
  return whole > Tokens{} ? ordered_json(part.as_double() / whole.as_double()) : ordered_json();
}

ordered_json sources_json(const Findings& findings) {
  ordered_json json = ordered_json::object();
  for (std::size_t i = 0; i < kSources; ++i) {
    const Count& count = findings.admitted_by_source.at(i);
    if (count.requests > 0 || static_cast<Source>(i) != Source::kOther) {
      json[kSourceNames.at(i)] = tokens_json(count.tokens);
    }
  }
  return json;
}

ordered_json nodes_json(const Findings& findings, const Story& story) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < findings.nodes.size(); ++i) {
    const NodeFindings& node = findings.nodes[i];
    ordered_json json;
    json["name"] = story.nodes.at(i).name;
    json["address"] = story.nodes.at(i).address;
    json["offered"] = tokens_json(node.tally.offered.tokens);
    json["admitted"] = tokens_json(node.tally.admitted.tokens);
    json["refused"] = tokens_json(node.tally.refused.tokens);
    json["errors"] = node.tally.errors().requests;
    json["requests"] = requests_json(node.tally);
    add_quantiles(json, node.latency);
    list.push_back(std::move(json));
  }
  return list;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string amount(Tokens tokens) {
  return cli::number_text(tokens.as_double());
}

std::string percent(Tokens part, Tokens whole) {
  return whole > Tokens{} ? fixed(100 * part.as_double() / whole.as_double(), 2) + " %" : "-";
}

std::string latency_text(Duration duration) {
  const double us = microseconds(duration);
  return us < 10'000 ? fixed(us, 0) + " us" : fixed(us / 1000, 1) + " ms";
}

std::string sums_text(const Findings& findings) {
  using cli::Align;
  const Tally& tally = findings.tally;
  cli::Table table({{.title = ""},
                    {.title = "requests", .align = Align::kRight},
                    {.title = "tokens", .align = Align::kRight},
                    {.title = "of central", .align = Align::kRight}});
  const Tokens central = findings.central_admitted.tokens;
  const auto row = [&](const char* name, const Count& count, bool share) {
    table.row({name, std::to_string(count.requests), amount(count.tokens),
               share ? percent(count.tokens, central) : ""});
  };
  const auto row_if_any = [&](const char* name, const Count& count) {
    if (count.requests > 0) {
      row(name, count, false);
    }
  };
  row("offered", tally.offered, false);
  row("admitted", tally.admitted, true);
  for (std::size_t i = 0; i < kSources; ++i) {
    row_if_any(("  " + std::string(kSourceNames.at(i))).c_str(), findings.admitted_by_source.at(i));
  }
  row("refused", tally.refused, false);
  row("errors", tally.errors(), false);
  row_if_any("  error replies", tally.error_replies);
  row_if_any("  unanswered", tally.unanswered);
  row_if_any("  node down", tally.node_down);
  row_if_any("  overflow", tally.overflow);
  row("central bucket admits", findings.central_admitted, true);
  if (findings.central_admitted_of_all != findings.central_admitted) {
    row("  with what got no answer", findings.central_admitted_of_all, true);
  }
  row("static parts admit", findings.static_admitted, true);
  return table.text();
}

std::string worst_text(const Findings& findings, const Story& story) {
  const OverAdmission& worst = findings.worst;
  std::string text = "worst over-admission: " + amount(worst.over) + " tokens";
  text += worst.over > Tokens{} ? " ABOVE what the limit allows" : " (held: not above 0)";
  if (worst.until > worst.from) {
    text += ", from " + fixed(in_seconds(worst.from), 6) + " s to " +
            fixed(in_seconds(worst.until), 6) + " s";
  }
  if (story.terms.per_key && findings.tally.admitted.requests > 0) {
    text += ", key " + cli::printable(story.worst_key);
  }
  return text + "\n";
}

std::string nodes_text(const Findings& findings, const Story& story) {
  using cli::Align;
  std::vector<cli::Column> columns{{.title = "node"}};
  for (const char* title :
       {"requests", "offered", "admitted", "refused", "errors", "p50", "p99", "p99.9"}) {
    columns.push_back({.title = title, .align = Align::kRight});
  }
  cli::Table table(std::move(columns));
  for (std::size_t i = 0; i < findings.nodes.size(); ++i) {
    const NodeFindings& node = findings.nodes[i];
    table.row({story.nodes.at(i).name, std::to_string(node.tally.offered.requests),
               amount(node.tally.offered.tokens), amount(node.tally.admitted.tokens),
               amount(node.tally.refused.tokens), std::to_string(node.tally.errors().requests),
               latency_text(node.latency.p50), latency_text(node.latency.p99),
               latency_text(node.latency.p999)});
  }
  return table.text();
}

}  // namespace

std::string report_json(const Findings& findings, const Story& story) {
  const Tally& tally = findings.tally;
  ordered_json json;
  json["trace"] = story.trace;
  json["limit"] = {{"name", story.limit},
                   {"per", story.terms.per_key ? ordered_json("key") : ordered_json()},
                   {"rate_per_s", story.terms.rate.as_double()},
                   {"burst", tokens_json(story.terms.burst)}};
  json["assign"] = story.assignment;
  json["seed"] = story.seed;
  json["speed"] = story.speed;
  json["interrupted"] = story.interrupted;
  json["duration_s"] = in_seconds(findings.duration);
  json["offered"] = tokens_json(tally.offered.tokens);
  json["admitted"] = tokens_json(tally.admitted.tokens);
  json["refused"] = tokens_json(tally.refused.tokens);
  json["errors"] = tally.errors().requests;
  json["requests"] = requests_json(tally);
  json["by_source"] = sources_json(findings);
  json["central_admitted"] = tokens_json(findings.central_admitted.tokens);
  json["central_admitted_of_all"] = tokens_json(findings.central_admitted_of_all.tokens);
  json["static_admitted"] = tokens_json(findings.static_admitted.tokens);
  json["utilisation"] = share_json(tally.admitted.tokens, findings.central_admitted.tokens);
  json["worst_over"] = tokens_json(findings.worst.over);
  json["worst_interval"] = {
      {"from_s", in_seconds(findings.worst.from)},
      {"until_s", in_seconds(findings.worst.until)},
      {"key", story.terms.per_key ? ordered_json(story.worst_key) : ordered_json()}};
  add_quantiles(json, findings.latency);
  json["lag_p50_us"] = microseconds(findings.lag.p50);
  json["lag_p99_us"] = microseconds(findings.lag.p99);
  json["nodes"] = nodes_json(findings, story);
  json["error_texts"] = story.error_texts;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string report_text(const Findings& findings, const Story& story) {
  std::string text = "replayed " + cli::printable(story.trace) + " on limit " + story.limit + " (" +
                     cli::number_text(story.terms.rate.as_double()) + "/s, burst " +
                     amount(story.terms.burst) + (story.terms.per_key ? ", per key" : "") + "), " +
                     std::to_string(story.nodes.size()) + " nodes, " + story.assignment +
                     ", speed " + cli::number_text(story.speed) + ", " +
                     fixed(in_seconds(findings.duration), 1) + " s" +
                     (story.interrupted ? ", interrupted" : "") + "\n\n";
  text += sums_text(findings) + "\n" + worst_text(findings, story);
  text += "latency: p50 " + latency_text(findings.latency.p50) + ", p99 " +
          latency_text(findings.latency.p99) + ", p99.9 " + latency_text(findings.latency.p999) +
          "; sent behind schedule: p50 " + latency_text(findings.lag.p50) + ", p99 " +
          latency_text(findings.lag.p99) + "\n\n";
  text += nodes_text(findings, story);
  for (const auto& [what, count] : story.error_texts) {
    text += std::to_string(count) + " x " + cli::printable(what) + "\n";
  }
  return text;
}

}  // namespace brigade::replay
