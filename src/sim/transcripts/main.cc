// raft-transcripts: runs conformance transcripts of a Raft core and says where the first one
// differs.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/transcripts/datadriven.h"
#include "sim/transcripts/functions.h"
#include "sim/transcripts/interaction.h"

namespace {

using brigade::sim::Directive;

enum class Suite { kInteraction, kQuorum, kConfChange };

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool starts_with_number(const std::string& text) {
  const auto arrow = text.find("->");
  return arrow != std::string::npos && arrow > 0 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(arrow),
                     [](char c) { return c >= '0' && c <= '9'; });
}

bool is_log_line(const std::string& text) {
  return text.rfind("INFO ", 0) == 0 || text.rfind("DEBUG ", 0) == 0 ||
         text.rfind("WARN ", 0) == 0 || text.rfind("ERROR ", 0) == 0;
}

bool is_state_command(const std::string& command) {
  return command == "raft-state" || command == "raft-log" || command == "status";
}

// Messages between nodes, in order, each in one line with its entries; storage work is left out.
std::string messages_of(const std::string& output) {
  std::string all;
  const auto lines = brigade::sim::split_lines(output);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string text = brigade::sim::trim(lines[i]);
    const bool dropped = text.rfind("dropped: ", 0) == 0;
    const std::string bare = dropped ? text.substr(9) : text;
    const std::size_t indent = lines[i].find_first_not_of(' ');
    const bool opens = !text.empty() && text.back() == '[';
    if (bare.find("Thread") != std::string::npos && bare.find("->") != std::string::npos) {
      // Skip the answers that storage work carries: they appear again when they are delivered.
      while (opens && i + 1 < lines.size() && lines[i + 1].find_first_not_of(' ') > indent) {
        ++i;
      }
      continue;
    }
    if (!starts_with_number(bare)) {
      continue;
    }
    while (opens && i + 1 < lines.size()) {
      const std::string next = brigade::sim::trim(lines[++i]);
      text += " " + next;
      if (next == "]") {
        break;
      }
    }
    all += text + "\n";
  }
  return all;
}

// What a level compares of an output; nullopt: nothing.
std::optional<std::string> essence(const Directive& directive, const std::string& output,
                                   Suite suite, int level) {
  if (suite != Suite::kInteraction || is_state_command(directive.command)) {
    return output;
  }
  if (level < 2) {
    return std::nullopt;
  }
  if (level == 2) {
    return messages_of(output);
  }
  std::string kept;
  for (const std::string& line : brigade::sim::split_lines(output)) {
    if (!is_log_line(brigade::sim::trim(line))) {
      kept += line + "\n";
    }
  }
  return kept.empty() ? "ok\n" : kept;
}

struct Score {
  std::size_t passed = 0;
  std::size_t all = 0;
  std::string difference;
};

std::string first_difference(const Directive& directive, const std::string& want,
                             const std::string& got) {
  const auto wanted = brigade::sim::split_lines(want);
  const auto seen = brigade::sim::split_lines(got);
  std::size_t i = 0;
  while (i < wanted.size() && i < seen.size() && wanted[i] == seen[i]) {
    ++i;
  }
  const auto line = [](const std::vector<std::string>& lines, std::size_t at) {
    return at < lines.size() ? "\"" + brigade::sim::trim(lines[at]) + "\"" : "nothing more";
  };
  return "line " + std::to_string(directive.line) + " (" + directive.command + "): expected " +
         line(wanted, i) + ", got " + line(seen, i);
}

Score run_file(const std::filesystem::path& path, Suite suite, int level) {
  const std::string text = read(path);
  brigade::sim::Interaction interaction;
  brigade::sim::ConfChangeScript changes;
  Score score;
  for (const Directive& directive : brigade::sim::parse_script(text)) {
    const std::string output = suite == Suite::kInteraction ? interaction.run(directive)
                               : suite == Suite::kQuorum    ? brigade::sim::run_quorum(directive)
                                                            : changes.run(directive);
    const auto want = essence(directive, directive.expected, suite, level);
    const auto got = essence(directive, output, suite, level);
    ++score.all;
    if (want == got) {
      ++score.passed;
    } else if (score.difference.empty()) {
      score.difference = first_difference(directive, *want, *got);
    }
  }
  return score;
}

// The script with what it prints now in place of what it expects.
std::string rewritten(const std::string& text) {
  brigade::sim::Interaction interaction;
  const auto lines = brigade::sim::split_lines(text);
  std::string out;
  std::size_t copied = 0;
  for (const Directive& directive : brigade::sim::parse_script(text)) {
    std::size_t end = static_cast<std::size_t>(directive.line) - 1;
    while (end < lines.size() && brigade::sim::trim(lines[end]) != "----") {
      ++end;
    }
    for (std::size_t i = copied; i < end; ++i) {
      out += lines[i] + "\n";
    }
    out += "----\n" + interaction.run(directive) + "\n";
    const auto expected = brigade::sim::split_lines(directive.expected).size();
    copied = end + 1 + expected + 1;
  }
  return out;
}

Suite suite_of(const std::filesystem::path& path) {
  for (const auto& part : path) {
    if (part == "quorum") {
      return Suite::kQuorum;
    }
    if (part == "confchange") {
      return Suite::kConfChange;
    }
  }
  // Told apart by their first command where the folder does not say.
  for (const Directive& directive : brigade::sim::parse_script(read(path))) {
    if (directive.command == "committed" || directive.command == "vote") {
      return Suite::kQuorum;
    }
    if (directive.command == "simple" || directive.command == "enter-joint" ||
        directive.command == "leave-joint") {
      return Suite::kConfChange;
    }
    break;
  }
  return Suite::kInteraction;
}

int run_all(const std::string& folder, int level, bool rewrite) {
  if (!std::filesystem::is_directory(folder)) {
    std::cerr << "raft-transcripts: " << folder << " is not a folder\n";
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder)) {
    if (item.is_regular_file() && item.path().extension() == ".txt") {
      files.push_back(item.path());
    }
  }
  std::sort(files.begin(), files.end());
  Score total;
  std::size_t clean = 0;
  for (const auto& file : files) {
    if (rewrite) {
      const std::string text = rewritten(read(file));
      std::ofstream(file) << text;
    }
    const Score score = run_file(file, suite_of(file), level);
    std::cout << std::filesystem::relative(file, folder).string() << " " << score.passed << "/"
              << score.all << (score.difference.empty() ? "" : " " + score.difference) << "\n";
    total.passed += score.passed;
    total.all += score.all;
    clean += score.passed == score.all ? 1 : 0;
  }
  std::cout << "total: " << clean << "/" << files.size() << " files, " << total.passed << "/"
            << total.all << " directives at level " << level << "\n";
  return total.passed == total.all && !files.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("runs conformance transcripts of the Raft core");
  std::string folder;
  int level = 2;
  app.add_option("--testdata", folder, "folder with interaction, quorum and confchange scripts")
      ->required();
  bool rewrite = false;
  app.add_flag("--rewrite", rewrite,
               "writes what interaction scripts print now into them, to be read and committed");
  app.add_option("--level", level, "1 state, 2 and messages, 3 and durability")
      ->check(CLI::Range(1, 3));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run_all(folder, level, rewrite);
}
