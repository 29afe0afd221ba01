#pragma once

namespace CLI {
class App;
}

// The sub-commands of `ringlog`. Each adds its options to the program; when it was chosen it runs
// while the arguments are parsed and leaves the exit status in `outcome`.
namespace ringlog::app {

void add_dump_command(CLI::App& program, int& outcome);
void add_check_command(CLI::App& program, int& outcome);

}  // namespace ringlog::app
