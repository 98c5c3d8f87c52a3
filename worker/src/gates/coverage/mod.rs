//! Coverage of changed lines: the diff against a base (`diff`), reports of any format (`reports`, `formats`), the files they are about
//! (`join`), files that do not count (`exclude`), and the verdict. A file that cannot be read, mapped or measured keeps the gate closed.

mod clover;
mod cobertura;
mod compare;
mod diff;
mod diff_path;
mod exclude;
mod formats;
mod gate;
mod istanbul;
mod jacoco;
mod join;
mod lcov;
mod llvm_cov;
mod report;
mod reports;
mod verdict;

#[cfg(test)]
pub(super) use gate::COMMANDS;
pub(crate) use gate::CoverageGate;
