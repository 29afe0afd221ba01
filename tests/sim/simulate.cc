// Plays many simulation runs in several processes, prints what happened how often, and fails on a
// broken promise, or on something that never happened in ten thousand runs. `./x sim` calls it.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "coverage.h"

namespace ringlog::sim {
namespace {

constexpr std::uint64_t runs_that_cover_all = 10'000;
constexpr unsigned seconds_of_a_run_max = 300;

struct run_name {
  std::size_t harness = 0;  // in harnesses()
  std::uint64_t seed = 0;
};

// What a process is doing, for the others to see when it dies.
struct process_state {
  run_name playing;
  bool is_done = false;
};

struct options {
  std::uint64_t runs = 10'000;
  std::optional<std::uint64_t> seed;
  std::size_t jobs = 2;
  std::string only;        // a harness
  std::string seeds_file;  // runs that once failed
};

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, outcome] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (outcome == std::errc() && end == text.data() + text.size()) return number;
  std::fprintf(stderr, "%s is no number\n", std::string(text).c_str());
  std::exit(2);
}

options parse(int count, char** words) {
  options given;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const auto value = [&]() -> std::string {
      if (++i < count) return words[i];
      std::fprintf(stderr, "%s wants a value\n", words[i - 1]);
      std::exit(2);
    };
    if (word == "--seed") {
      given.seed = parse_number(value());
    } else if (word == "--jobs") {
      given.jobs = parse_number(value());
    } else if (word == "--only") {
      given.only = value();
    } else if (word == "--seeds") {
      given.seeds_file = value();
    } else {
      given.runs = parse_number(word);
    }
  }
  return given;
}

std::size_t number_of(std::string_view name) {
  for (std::size_t i = 0; i < harnesses().size(); ++i) {
    if (harnesses()[i].name == name) return i;
  }
  std::fprintf(stderr, "there is no harness '%s'\n", std::string(name).c_str());
  std::exit(2);
}

// Lines of a harness's name and a seed; '#' begins a comment.
std::vector<run_name> read_seeds(const std::string& path) {
  std::vector<run_name> runs;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    std::uint64_t seed = 0;
    if (words >> name >> seed) runs.push_back({number_of(name), seed});
  }
  return runs;
}

std::vector<run_name> runs_of(const options& given, std::uint64_t first_seed) {
  std::vector<run_name> runs;
  if (!given.seeds_file.empty()) runs = read_seeds(given.seeds_file);
  for (std::uint64_t i = 0; i < given.runs; ++i) {
    for (std::size_t which = 0; which < harnesses().size(); ++which) {
      if (given.only.empty() || given.only == harnesses()[which].name) {
        runs.push_back({which, first_seed + i});
      }
    }
  }
  return runs;
}

// Plays every `jobs`-th run; writes lines of "harness count event".
int play(const std::vector<run_name>& runs, std::size_t first, std::size_t jobs,
         process_state& mine, std::FILE* report) {
  std::vector<io::sim::event_counts> events(harnesses().size());
  bool failed = false;
  for (std::size_t i = first; i < runs.size() && !failed; i += jobs) {
    mine.playing = runs[i];
    ::alarm(seconds_of_a_run_max);
    const harness& of = harnesses()[runs[i].harness];
    ++events[runs[i].harness]["runs"];
    const violation found = of.play(runs[i].seed, {}, events[runs[i].harness]);
    if (!found) continue;
    failed = true;
    std::printf("FAILED: %s, seed %llu: %s\n", of.name,
                static_cast<unsigned long long>(runs[i].seed), found->c_str());
    std::fflush(stdout);
  }
  for (std::size_t which = 0; which < events.size(); ++which) {
    for (const auto& [name, count] : events[which]) {
      std::fprintf(report, "%zu %llu %s\n", which, static_cast<unsigned long long>(count),
                   name.c_str());
    }
  }
  mine.is_done = true;
  return failed ? 1 : 0;
}

struct process {
  pid_t id = 0;
  std::FILE* report = nullptr;
};

// All the processes' counts, by harness; true when each of them ended well.
bool collect(const std::vector<process>& processes, const process_state* states,
             std::vector<io::sim::event_counts>& events) {
  bool well = true;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    char line[512];
    while (std::fgets(line, sizeof line, processes[i].report) != nullptr) {
      std::istringstream words(line);
      std::size_t which = 0;
      std::uint64_t count = 0;
      std::string name;
      words >> which >> count >> std::ws;
      std::getline(words, name);
      events[which][name] += count;
    }
    int outcome = 0;
    ::waitpid(processes[i].id, &outcome, 0);
    well = well && outcome == 0;
    if (states[i].is_done) continue;
    std::printf("FAILED: %s, seed %llu: the process %s\n",
                harnesses()[states[i].playing.harness].name,
                static_cast<unsigned long long>(states[i].playing.seed),
                WIFSIGNALED(outcome) ? ::strsignal(WTERMSIG(outcome)) : "ended");
  }
  return well;
}

std::vector<process> start(const std::vector<run_name>& runs, std::size_t jobs,
                           process_state* states) {
  std::vector<process> processes(jobs);
  for (std::size_t i = 0; i < jobs; ++i) {
    int ends[2];
    if (::pipe(ends) != 0) std::exit(2);
    const pid_t id = ::fork();
    if (id == 0) {
      std::FILE* report = ::fdopen(ends[1], "w");
      const int outcome = play(runs, i, jobs, states[i], report);
      std::fclose(report);
      ::_exit(outcome);
    }
    ::close(ends[1]);
    processes[i] = {id, ::fdopen(ends[0], "r")};
  }
  return processes;
}

// The counts, and true when nothing is missing.
bool print(const std::vector<io::sim::event_counts>& events, bool wants_all) {
  bool complete = true;
  for (std::size_t which = 0; which < events.size(); ++which) {
    if (events[which].empty()) continue;
    std::printf("\n%s:\n", harnesses()[which].name);
    for (const auto& [name, count] : events[which]) {
      std::printf("  %10llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
    }
    for (const std::string& name : missing(harnesses()[which], events[which])) {
      std::printf("  %10s  %s\n", wants_all ? "MISSING" : "0", name.c_str());
      complete = false;
    }
  }
  return complete || !wants_all;
}

int simulate(const options& given) {
  const std::uint64_t first_seed = given.seed.value_or(std::random_device()());
  const std::vector<run_name> runs = runs_of(given, first_seed);
  std::printf("%llu runs from seed %llu\n", static_cast<unsigned long long>(given.runs),
              static_cast<unsigned long long>(first_seed));
  std::fflush(stdout);
  const std::size_t jobs =
      std::clamp<std::size_t>(given.jobs, 1, std::max<std::size_t>(1, runs.size()));
  void* shared = ::mmap(nullptr, jobs * sizeof(process_state), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  auto* states = static_cast<process_state*>(shared);
  std::vector<io::sim::event_counts> events(harnesses().size());
  const bool well = collect(start(runs, jobs, states), states, events);
  const bool complete = print(events, well && given.runs >= runs_that_cover_all);
  if (!well) std::printf("\nagain: ./x sim 1 --seed SEED --only HARNESS\n");
  return well && complete ? 0 : 1;
}

}  // namespace
}  // namespace ringlog::sim

int main(int count, char** words) {
  return ringlog::sim::simulate(ringlog::sim::parse(count, words));
}
