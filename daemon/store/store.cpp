// SPDX-License-Identifier: MIT
// One batch is filled while another is written, and they change places: so a batch is as large as the disk is
// slow, and nobody waits for more than two commits. A batch that was answered is likely to come again, so the
// next one waits a moment for that (gathering); while a large one is filled, the thread writes what there is of
// it. Tickets count changes; a batch is a range of them, and
// three numbers say how far things are:
//   durable <= tried <= in_flight <= last
// Between durable and tried lie facts that a failed transaction has left; they stand at the front of the
// batch that is filled. Who waits for a ticket waits for the end of the batch that has it, so that a commit
// wakes those it concerns and nobody else.
#include "daemon/store/store.hpp"

#include <sys/stat.h>

#include <chrono>
#include <deque>
#include <utility>

#include "daemon/store/batch.hpp"
#include "daemon/store/gathering.hpp"
#include "daemon/store/lock.hpp"
#include "daemon/store/opening.hpp"
#include "daemon/store/writer.hpp"
#include "daemon/store/writer_thread.hpp"

namespace corund::store {
namespace {

constexpr std::chrono::seconds retry_after{1};
constexpr std::size_t begun_with = 24;          // rows that go to the thread while their transaction still grows
constexpr std::size_t spares_max = 4;
constexpr std::size_t forgotten_at_once = 128;  // jobs that one transaction removes: a millisecond or so

std::uint64_t file_bytes(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

using Tried = std::shared_ptr<corun::Event>;  // a batch was; held by the store, and by those who wait and may
                                              // resume after it let go

}  // namespace

struct Store::Impl : std::enable_shared_from_this<Store::Impl> {
  explicit Impl(const StoreOptions& options);

  Ticket stage(const Change& change);
  Ticket forget(Seq seq);
  void schedule();
  void begin_when_large();
  std::unique_ptr<Batch> empty_batch();
  void spare(std::unique_ptr<Batch> batch);
  std::size_t waiting_submissions() const;
  void hand_over_or_gather();
  bool expects_more() const;
  void hand_over();
  void stop_timers();
  void finished();
  void settle(Work& work);
  void keep_facts(Work& work);
  void stop_thread();
  std::optional<StoreError> close();
  Tried tried(bool in_flight);

  static corun::Coro<Settled> next_settled(std::shared_ptr<Impl> self);
  static corun::Coro<bool> written(std::shared_ptr<Impl> self, Ticket ticket);
  static corun::Coro<> written_at_last(std::shared_ptr<Impl> self, Ticket ticket);
  static corun::Coro<bool> read(std::shared_ptr<Impl> self, Seq seq, const Recovery& into);

  std::string path_;  // of the database
  std::string set_aside_;
  DirectoryLock lock_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<WriterThread> thread_;  // after start()
  corun::Loop* loop_ = nullptr;           // after start()
  bool closed_ = false;
  Seq next_seq_ = 1;

  Ticket last_ = 0, in_flight_upto_ = 0, tried_upto_ = 0, durable_upto_ = 0;
  std::optional<StoreError> failing_;
  std::unique_ptr<Batch> staged_ = std::make_unique<Batch>();
  std::vector<std::unique_ptr<Batch>> spare_;
  unsigned begun_ = 0;                 // how often the thread was given first rows of what is staged
  std::size_t begun_submissions_ = 0;  // in them
  std::deque<Seq> to_forget_;
  std::vector<std::shared_ptr<Lookup>> lookups_;  // to go with the next batch
  bool fresh_ = false;                            // something was staged since the latest batch went
  bool scheduled_ = false;
  bool in_flight_ = false;
  std::optional<corun::TimerHandle> retry_;
  std::optional<corun::TimerHandle> gathered_;  // the batch goes then at the latest
  Gathering gathering_;
  Tried staged_tried_, flight_tried_;  // null: nobody waits

  std::deque<Settled> settled_;
  Ticket settled_upto_ = 0;
  corun::Event settled_more_;
  CommitLog commits_;
  std::int64_t last_commit_us_ = 0;
};

Store::Impl::Impl(const StoreOptions& options) {
  OpeningOptions opening;
  opening.path = options.directory == ":memory:" ? options.directory : options.directory + "/jobs.db";
  opening.begin_anew = options.begin_anew;
  opening.vfs = options.vfs;
  path_ = opening.path;
  if (options.directory != ":memory:") lock_ = DirectoryLock(options.directory);
  Opened opened = open_database(opening);
  set_aside_ = std::move(opened.set_aside);
  try {
    writer_ = std::make_unique<Writer>(std::move(opened.database));
    next_seq_ = writer_->tables().last_seq() + 1;
  } catch (const StoreError& error) {
    throw advised(error);
  }
}

Ticket Store::Impl::stage(const Change& change) {
  if (closed_) return last_;
  staged_->add(change);
  fresh_ = true;
  schedule();
  begin_when_large();
  return ++last_;
}

// The thread writes the first rows of a large transaction while the others come. Not while the disk refuses:
// what is kept comes first then.
void Store::Impl::begin_when_large() {
  // Each time twice as many, which take the thread as long as the next ones take to come.
  if (staged_->changes().size() < begun_with << begun_ || in_flight_ || failing_ || !thread_) return;
  begun_submissions_ += staged_->submissions();
  ++begun_;
  thread_->begin(std::exchange(staged_, empty_batch()));
}

std::unique_ptr<Batch> Store::Impl::empty_batch() {
  if (spare_.empty()) return std::make_unique<Batch>();
  auto batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void Store::Impl::spare(std::unique_ptr<Batch> batch) {
  if (spare_.size() == spares_max) return;
  batch->clear();
  spare_.push_back(std::move(batch));
}

std::size_t Store::Impl::waiting_submissions() const { return begun_submissions_ + staged_->submissions(); }

Ticket Store::Impl::forget(Seq seq) {
  if (closed_) return last_;
  to_forget_.push_back(seq);
  fresh_ = true;
  schedule();
  return ++last_;
}

// With the next pass, so that all that is added in this one goes together. While a batch is in flight its end
// does it.
void Store::Impl::schedule() {
  if (loop_ == nullptr || in_flight_ || scheduled_) return;
  scheduled_ = true;
  loop_->call_soon([self = shared_from_this()] {
    self->scheduled_ = false;
    self->hand_over_or_gather();
  });
}

// A moment later where those are likely to come again that the latest commit has answered.
void Store::Impl::hand_over_or_gather() {
  if (in_flight_ || closed_) return;
  if (!expects_more()) return hand_over();
  if (gathered_) return;
  gathered_ = loop_->call_at(gathering_.until(), [self = shared_from_this()] {
    self->gathered_.reset();
    self->hand_over();
  });
}

bool Store::Impl::expects_more() const {
  return !failing_ && gathering_.expects_more(waiting_submissions(), loop_->time());
}

void Store::Impl::stop_timers() {
  for (auto* timer : {&retry_, &gathered_}) {
    if (*timer) (*timer)->cancel();
    timer->reset();
  }
}

void Store::Impl::hand_over() {
  if (in_flight_ || closed_) return;
  stop_timers();
  if (!failing_)
    for (std::size_t i = 0; i < forgotten_at_once && !to_forget_.empty(); ++i) {
      staged_->forget(to_forget_.front());
      to_forget_.pop_front();
    }
  if (staged_->empty() && begun_ == 0 && lookups_.empty() && !failing_) return;
  Work work;
  work.batch = std::exchange(staged_, empty_batch());
  begun_ = 0;
  begun_submissions_ = 0;
  work.last_seq = next_seq_ - 1;
  work.lookups.swap(lookups_);
  flight_tried_ = std::exchange(staged_tried_, nullptr);
  in_flight_upto_ = last_;
  in_flight_ = true;
  fresh_ = false;
  ++loop_->core().threads_outstanding;  // a virtual clock stands still meanwhile, as for an executor's work
  thread_->give(std::move(work));
}

// In the loop: the thread has dealt with a batch.
void Store::Impl::finished() {
  std::optional<Work> work = thread_ ? thread_->take() : std::nullopt;
  if (!work) return;  // stop_thread() has it
  const std::size_t answered = work->submissions();
  settle(*work);
  gathering_.committed(answered, waiting_submissions(), work->took, loop_->time());
  if (expects_more()) {
    if (fresh_ || !to_forget_.empty()) schedule();
    return;
  }
  if (!failing_ || fresh_) return hand_over();
  retry_ = loop_->call_later(retry_after, [self = shared_from_this()] { self->hand_over(); });
}

void Store::Impl::settle(Work& work) {
  if (in_flight_) --loop_->core().threads_outstanding;
  in_flight_ = false;
  tried_upto_ = in_flight_upto_;
  failing_ = work.error;
  if (work.error) {
    keep_facts(work);
  } else {
    durable_upto_ = tried_upto_;
    if (!work.batch->empty() || !work.begun.empty()) {
      commits_.add(work.took);
      last_commit_us_ = work.ended_us;
    }
    for (auto& rows : work.begun) spare(std::move(rows));
    spare(std::move(work.batch));
  }
  for (const auto& lookup : work.lookups) lookup->done = true;
  if (tried_upto_ > settled_upto_) {
    settled_upto_ = tried_upto_;
    if (!work.error && !settled_.empty() && !settled_.back().refused)
      settled_.back().upto = tried_upto_;  // nobody has looked: two that succeeded tell no more than one
    else
      settled_.push_back({tried_upto_, work.error});
    settled_more_.set();
  }
  if (const Tried woken = std::exchange(flight_tried_, nullptr)) woken->set();
}

void Store::Impl::keep_facts(Work& work) {
  auto kept = std::make_unique<Batch>();
  for (const auto& rows : work.begun) kept->add_facts_of(*rows);
  kept->add_facts_of(*work.batch);
  kept->add_all_of(*staged_);
  staged_ = std::move(kept);
}

void Store::Impl::stop_thread() {
  if (!thread_) return;
  stop_timers();
  thread_->stop();
  if (std::optional<Work> work = thread_->take()) settle(*work);
  thread_.reset();
}

std::optional<StoreError> Store::Impl::close() {
  if (closed_) return std::nullopt;
  stop_thread();
  for (Seq seq : std::exchange(to_forget_, {})) staged_->forget(seq);
  if (!staged_->empty() || begun_ > 0) {
    Work work;
    work.batch = std::exchange(staged_, empty_batch());
    work.last_seq = next_seq_ - 1;
    begun_ = 0;
    in_flight_upto_ = last_;
    writer_->write(work);
    settle(work);
  }
  closed_ = true;
  std::optional<StoreError> error = failing_;
  for (const auto& lookup : std::exchange(lookups_, {})) {
    lookup->error.emplace(Trouble::io, "the store is closed");
    lookup->done = true;
  }
  if (const Tried woken = std::exchange(staged_tried_, nullptr)) woken->set();
  try {
    writer_->close();
  } catch (const StoreError& failed) {
    if (!error) error = failed;  // what was not folded is in the WAL, on disk
  }
  lock_ = DirectoryLock();
  return error;
}

// What to wait for: the end of the batch in flight, or of the one that is filled.
Tried Store::Impl::tried(bool in_flight) {
  Tried& event = in_flight ? flight_tried_ : staged_tried_;
  if (!event) event = std::make_shared<corun::Event>();
  return event;
}

corun::Coro<Settled> Store::Impl::next_settled(std::shared_ptr<Impl> self) {
  while (self->settled_.empty()) {
    self->settled_more_.clear();
    co_await self->settled_more_.wait();
  }
  Settled settled = std::move(self->settled_.front());
  self->settled_.pop_front();
  co_return settled;
}

corun::Coro<bool> Store::Impl::written(std::shared_ptr<Impl> self, Ticket ticket) {
  for (;;) {
    if (ticket <= self->durable_upto_) co_return true;
    if (self->closed_ || (self->failing_ && ticket <= self->tried_upto_)) co_return false;
    const Tried tried = self->tried(self->in_flight_ && ticket <= self->in_flight_upto_);
    co_await tried->wait();
  }
}

corun::Coro<> Store::Impl::written_at_last(std::shared_ptr<Impl> self, Ticket ticket) {
  while (ticket > self->durable_upto_) {
    if (self->closed_) throw StoreError(Trouble::io, "the store is closed");
    const Tried tried = self->tried(self->in_flight_);
    co_await tried->wait();
  }
}

corun::Coro<bool> Store::Impl::read(std::shared_ptr<Impl> self, Seq seq, const Recovery& into) {
  if (self->closed_) throw StoreError(Trouble::io, "the store is closed");
  const auto lookup = std::make_shared<Lookup>();
  lookup->seq = seq;
  self->lookups_.push_back(lookup);
  self->fresh_ = true;
  self->schedule();
  while (!lookup->done) {
    const Tried tried = self->tried(false);
    co_await tried->wait();
  }
  if (lookup->error) throw *lookup->error;
  for (const Change& change : lookup->rows.changes()) {
    if (const auto* job = std::get_if<JobRow>(&change); job && into.job) into.job(*job);
    if (const auto* attempt = std::get_if<AttemptRow>(&change); attempt && into.attempt)
      into.attempt(*attempt);
    if (const auto* process = std::get_if<ProcessRow>(&change); process && into.process)
      into.process(*process);
    if (const auto* outcome = std::get_if<OutcomeRow>(&change); outcome && into.outcome)
      into.outcome(*outcome);
  }
  co_return lookup->found;
}

Store::Store(StoreOptions options) : impl_(std::make_shared<Impl>(options)) {}

// Without close() this is what a crash would be: what is staged is lost, what is in the WAL stays there.
Store::~Store() {
  impl_->stop_thread();
  impl_->closed_ = true;
}

const std::string& Store::set_aside() const noexcept { return impl_->set_aside_; }

void Store::recover(const Recovery& into) {
  try {
    impl_->writer_->tables().each(into);
  } catch (const StoreError& error) {
    throw advised(error);
  }
}

void Store::start(corun::Loop& loop) {
  impl_->loop_ = &loop;
  impl_->thread_ = std::make_unique<WriterThread>(*impl_->writer_, [self = impl_.get()] {
    // The thread is joined while the store holds its Impl, so there is one to share.
    try {
      self->loop_->call_soon_threadsafe([shared = self->shared_from_this()] { shared->finished(); });
    } catch (const corun::RuntimeError&) {
      // The loop is closed: close() takes what is done.
    }
  });
  if (!impl_->staged_->empty() || !impl_->to_forget_.empty()) impl_->schedule();
}

std::optional<StoreError> Store::close() { return impl_->close(); }

Seq Store::next_seq() noexcept { return impl_->next_seq_++; }

Ticket Store::add(const JobRow& row) { return impl_->stage(row); }
Ticket Store::attempt(const AttemptRow& row) { return impl_->stage(row); }
Ticket Store::process(const ProcessRow& row) { return impl_->stage(row); }
Ticket Store::end(const OutcomeRow& row) { return impl_->stage(row); }
Ticket Store::forget(Seq seq) { return impl_->forget(seq); }
Ticket Store::set_group(const GroupRow& row) { return impl_->stage(row); }

corun::Coro<Settled> Store::settled() { return Impl::next_settled(impl_); }
corun::Coro<bool> Store::written(Ticket ticket) { return Impl::written(impl_, ticket); }
corun::Coro<> Store::written_at_last(Ticket ticket) { return Impl::written_at_last(impl_, ticket); }
corun::Coro<bool> Store::read(Seq seq, const Recovery& into) { return Impl::read(impl_, seq, into); }

StoreStats Store::stats() const {
  StoreStats stats;
  if (impl_->path_ != ":memory:") stats.bytes = file_bytes(impl_->path_) + file_bytes(impl_->path_ + "-wal");
  stats.commits = impl_->commits_.count();
  stats.commit = impl_->commits_.times();
  stats.last_commit_us = impl_->last_commit_us_;
  if (impl_->failing_) stats.failing = impl_->failing_->what();
  return stats;
}

}  // namespace corund::store
