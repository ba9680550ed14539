#include "storage/disk.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <rocksdb/write_batch.h>

#include "base/check.h"
#include "storage/advice.h"
#include "storage/families.h"
#include "storage/layout.h"

namespace brigade::storage {

namespace fs = std::filesystem;

namespace {

bool must_last(const Turn& turn) {
  return !turn.identity.empty() ||
         std::any_of(turn.groups.begin(), turn.groups.end(),
                     [](const GroupTurn& group) { return group.must_last; });
}

}  // namespace

// Builds a turn's write batch and follows what it does to the extents of the logs.
class Disk::Batch {
 public:
  Batch(const Families& store, std::map<base::ShardId, Extent>& extents)
      : store_(store), extents_(extents) {}

  void add(const IdentityWrite& write);
  void add(const GroupTurn& turn);
  void put(rocksdb::ColumnFamilyHandle* family, const std::string& key, std::string value) {
    keep(content_.Put(family, key, seal(key, std::move(value))));
  }

  [[nodiscard]] const rocksdb::Status& status() const { return status_; }
  rocksdb::WriteBatch& content() { return content_; }

 private:
  void forget(base::ShardId group);
  void forget_log(base::ShardId group);
  void forget_records(base::ShardId group);
  void install(base::ShardId group, const Install& install);
  void append(base::ShardId group, const std::vector<raft::Entry>& entries);
  void compact(base::ShardId group, const SnapshotMark& mark);
  void write(base::ShardId group, const RecordWrite& write);
  void erase(rocksdb::ColumnFamilyHandle* family, const std::string& key) {
    keep(content_.Delete(family, key));
  }
  void keep(const rocksdb::Status& status) {
    if (status_.ok()) {
      status_ = status;
    }
  }

  const Families& store_;
  std::map<base::ShardId, Extent>& extents_;
  rocksdb::WriteBatch content_;
  rocksdb::Status status_;
};

void Disk::Batch::add(const IdentityWrite& write) {
  const std::string key = identity_key(write.name);
  if (write.value.empty()) {
    erase(store_.facts, key);
  } else {
    put(store_.facts, key, std::string(write.value.view()));
  }
}

void Disk::Batch::add(const GroupTurn& turn) {
  if (turn.drop) {
    forget(turn.group);
  }
  if (turn.hard) {
    put(store_.facts, group_key(kHardTag, turn.group), encode(*turn.hard));
  }
  if (turn.install) {
    install(turn.group, *turn.install);
  }
  append(turn.group, turn.entries);
  if (turn.compact) {
    compact(turn.group, *turn.compact);
  }
  for (const RecordWrite& one : turn.records) {
    write(turn.group, one);
  }
  if (turn.applied) {
    put(store_.facts, group_key(kAppliedTag, turn.group), encode_number(turn.applied->value()));
  }
}

void Disk::Batch::forget(base::ShardId group) {
  for (const char tag : {kHardTag, kMarkTag, kAppliedTag}) {
    erase(store_.facts, group_key(tag, group));
  }
  forget_log(group);
  forget_records(group);
  extents_.erase(group);
}

// Whole ranges go by one range tombstone: a log of many entries is forgotten by one short record
// instead of one for each entry, and it costs later reads nothing, because logs are read at starts
// only.
void Disk::Batch::forget_log(base::ShardId group) {
  keep(content_.DeleteRange(store_.log, group_prefix(group), group_end(group)));
}

void Disk::Batch::forget_records(base::ShardId group) {
  keep(content_.DeleteRange(store_.state, group_prefix(group), group_end(group)));
}

void Disk::Batch::install(base::ShardId group, const Install& install) {
  forget_log(group);
  forget_records(group);
  for (const Record& record : install.records) {
    write(group, {.key = record.key, .value = record.value});
  }
  const raft::Index index = install.mark.last.index;
  put(store_.facts, group_key(kMarkTag, group), encode(install.mark));
  put(store_.facts, group_key(kAppliedTag, group), encode_number(index.value()));
  extents_[group] = {.mark = index, .last = index};
}

void Disk::Batch::append(base::ShardId group, const std::vector<raft::Entry>& entries) {
  if (entries.empty()) {
    return;
  }
  Extent& extent = extents_[group];
  raft::Index next = entries.front().id.index;
  BRIGADE_CHECK(next > extent.mark && next <= extent.last.next());
  for (const raft::Entry& entry : entries) {
    BRIGADE_CHECK(entry.id.index == next);
    put(store_.log, log_key(group, next), encode(entry));
    next = next.next();
  }
  // What a shorter log replaces goes one by one: it is short and rare, and a range tombstone would
  // lie where the next entries are written.
  for (raft::Index stale = next; stale <= extent.last; stale = stale.next()) {
    erase(store_.log, log_key(group, stale));
  }
  extent.last = next.previous();
}

void Disk::Batch::compact(base::ShardId group, const SnapshotMark& mark) {
  Extent& extent = extents_[group];
  BRIGADE_CHECK(mark.last.index >= extent.mark && mark.last.index <= extent.last);
  keep(content_.DeleteRange(store_.log, log_key(group, extent.mark.next()),
                            log_key(group, mark.last.index.next())));
  put(store_.facts, group_key(kMarkTag, group), encode(mark));
  extent.mark = mark.last.index;
}

void Disk::Batch::write(base::ShardId group, const RecordWrite& write) {
  BRIGADE_CHECK(!write.key.empty());
  const std::string key = state_key(group, write.key);
  if (write.value) {
    put(store_.state, key, *write.value);
  } else {
    erase(store_.state, key);
  }
}

base::Result<std::unique_ptr<Disk>> Disk::open(const std::string& directory, rocksdb::Env* env) {
  std::error_code code;
  fs::create_directories(directory, code);
  if (code) {
    return advise(code.value(), directory);
  }
  auto promise = Promise::open(directory);
  if (!promise) {
    return promise.error();
  }
  const std::string store = directory + "/store";
  const bool present = fs::exists(store + "/CURRENT", code);
  // A directory without a store is a new one only if no turn was ever promised in it.
  if (!present && promise->turn() > 0) {
    return advise_damaged(directory, "the store is missing");
  }
  if (promise->blank() && fs::exists(store, code)) {
    return advise_damaged(directory, "the promise file is missing");
  }
  if (promise->blank()) {
    if (const base::Status status = promise->engrave(0); !status) {
      return status.error();
    }
  }
  // No turn was promised, so that a creation that was cut short may be done again or completed.
  const bool create = promise->turn() == 0;
  if (create && !present) {
    fs::remove_all(store, code);
  }
  std::unique_ptr<Disk> disk(new Disk(directory, std::move(promise).value()));
  if (const base::Status status = disk->open_store(create, env); !status) {
    return status.error();
  }
  return disk;
}

Disk::Disk(std::string directory, Promise promise)
    : directory_(std::move(directory)), promise_(std::move(promise)) {}

Disk::~Disk() = default;

base::Status Disk::open_store(bool create, rocksdb::Env* env) {
  store_ = std::make_unique<Families>();
  if (const auto status = open_families(directory_ + "/store", create, env, *store_);
      !status.ok()) {
    return advise(status, directory_);
  }
  return check_turn();
}

base::Status Disk::check_turn() {
  std::string sealed;
  const auto status = store_->db->Get(rocksdb::ReadOptions(), store_->facts, turn_key(), &sealed);
  if (!status.ok() && !status.IsNotFound()) {
    return advise(status, directory_);
  }
  if (status.ok()) {
    const auto value = unseal(turn_key(), sealed);
    const auto turn = value ? decode_number(*value) : std::nullopt;
    if (!turn) {
      return advise_damaged(directory_, "wrong checksum of the turn");
    }
    turn_ = *turn;
  }
  if (turn_ < promise_.turn()) {
    return advise_damaged(directory_, "it ends at turn " + std::to_string(turn_) + ", but turn " +
                                          std::to_string(promise_.turn()) + " was durable");
  }
  return promise_.engrave(turn_);
}

base::Result<Contents> Disk::load() {
  auto contents = read_contents(*store_, directory_);
  if (!contents) {
    return contents;
  }
  if (turn_ == 0 && !(contents->identity.empty() && contents->groups.empty())) {
    return advise_damaged(directory_, "contents without a turn");
  }
  extents_.emplace();
  for (const auto& [id, group] : contents->groups) {
    const raft::Index mark = group.raft.snapshot.last.index;
    (*extents_)[id] = {.mark = mark, .last = mark.next(group.raft.entries.size())};
  }
  return contents;
}

base::Status Disk::commit(const Turn& turn) {
  if (failure_) {
    return *failure_;
  }
  BRIGADE_CHECK(extents_.has_value());
  if (turn.identity.empty() && turn.groups.empty()) {
    return base::ok();
  }
  Batch batch(*store_, *extents_);
  for (const IdentityWrite& write : turn.identity) {
    batch.add(write);
  }
  for (const GroupTurn& group : turn.groups) {
    batch.add(group);
  }
  batch.put(store_->facts, turn_key(), encode_number(turn_ + 1));
  if (!batch.status().ok()) {
    return fail(advise(batch.status(), directory_));
  }
  rocksdb::WriteOptions options;
  options.sync = must_last(turn);
  if (const auto status = store_->db->Write(options, &batch.content()); !status.ok()) {
    return fail(advise(status, directory_));
  }
  ++turn_;
  if (!options.sync) {
    return base::ok();  // nothing to promise yet: the next turn that lasts makes this one last too
  }
  // The first turn holds the node's identity: from then on an empty store is a lost one.
  const base::Status promised = turn_ == 1 ? promise_.engrave(turn_) : promise_.note(turn_);
  return promised ? promised : fail(promised.error());
}

base::Status Disk::fail(base::Error error) {
  failure_ = error;
  return error;
}

}  // namespace brigade::storage
