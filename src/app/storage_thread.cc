#include "app/storage_thread.h"

#include <iterator>
#include <utility>

#include <asio/post.hpp>

namespace brigade::app {

StorageThread::StorageThread(asio::io_context& io, std::unique_ptr<storage::Disk> disk,
                             std::function<void(const base::Error&)> failed)
    : io_(io), disk_(std::move(disk)), failed_(std::move(failed)), thread_([this] { run(); }) {}

StorageThread::~StorageThread() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void StorageThread::submit(storage::Turn turn, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({.turn = std::move(turn), .done = std::move(done)});
  }
  work_.notify_one();
}

void StorageThread::run() {
  for (;;) {
    std::vector<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) {
        return;
      }
      jobs.swap(queue_);
    }
    storage::Turn all;
    for (Job& job : jobs) {
      std::move(job.turn.identity.begin(), job.turn.identity.end(),
                std::back_inserter(all.identity));
      std::move(job.turn.groups.begin(), job.turn.groups.end(), std::back_inserter(all.groups));
    }
    const base::Status status = disk_->commit(all);
    asio::post(io_, [this, alive = alive_, status, jobs = std::move(jobs)] {
      if (!*alive) {
        return;
      }
      if (!status) {
        failed_(status.error());
        return;
      }
      for (const Job& job : jobs) {
        job.done();
      }
    });
    if (!status) {
      return;
    }
  }
}

}  // namespace brigade::app
