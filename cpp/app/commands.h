#pragma once

#include <string>

namespace CLI {
class App;
}

// The sub-commands of `ringlog`. Each adds its options to the program; when it was chosen it runs
// while the arguments are parsed and leaves the exit status in `outcome`.
namespace ringlog::app {

void add_dump_command(CLI::App& program, int& outcome);
void add_check_command(CLI::App& program, int& outcome);
void add_backup_command(CLI::App& program, int& outcome);
void add_recover_command(CLI::App& program, int& outcome);
void add_serve_command(CLI::App& program, int& outcome);

// The tools that ask a log or a cluster (app/tools).
void add_topics_command(CLI::App& program, int& outcome);
void add_configs_command(CLI::App& program, int& outcome);
void add_groups_command(CLI::App& program, int& outcome);
void add_produce_command(CLI::App& program, int& outcome);
void add_consume_command(CLI::App& program, int& outcome);
void add_offsets_command(CLI::App& program, int& outcome);
void add_delete_records_command(CLI::App& program, int& outcome);
void add_log_dirs_command(CLI::App& program, int& outcome);
void add_quotas_command(CLI::App& program, int& outcome);
void add_perf_produce_command(CLI::App& program, int& outcome);
void add_perf_consume_command(CLI::App& program, int& outcome);

// The argument "directory" of a command, and the path in it: "file:PATH" means PATH.
void add_directory_option(CLI::App& command, std::string& target);
std::string without_scheme(const std::string& directory);

}  // namespace ringlog::app
