//! A filter that allows a set of calls and nothing else. The kernel runs a filter for each number of a call when it is applied, so the length
//! of its longest way counts: a tree of comparisons has eight where a list has a thousand, which is a millisecond of each start.

use nix::libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_KILL_PROCESS};
use seccompiler::{BpfProgram, SeccompAction, TargetArch, sock_filter};

/// Where `struct seccomp_data` has them.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// Allows these calls; all others are answered with `otherwise`. Those of other architectures kill the process, as those of `seccompiler` do.
pub(super) fn only(calls: &[i64], otherwise: SeccompAction, arch: TargetArch) -> BpfProgram {
    let mut calls: Vec<u32> = calls.iter().map(|call| u32::try_from(*call).expect("numbers of calls are small")).collect();
    calls.sort_unstable();
    // The first call that is answered otherwise than the one before.
    let mut bounds: Vec<u32> = vec![];
    for call in calls {
        if bounds.last() == Some(&call) {
            bounds.pop();
        } else {
            bounds.push(call);
        }
        bounds.push(call + 1);
    }
    let mut program = vec![
        instruction(BPF_LD | BPF_W | BPF_ABS, ARCHITECTURE, 0, 0),
        instruction(BPF_JMP | BPF_JEQ | BPF_K, arch_number(arch), 1, 0),
        instruction(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0),
        instruction(BPF_LD | BPF_W | BPF_ABS, NUMBER, 0, 0),
    ];
    let answers = [u32::from(otherwise), u32::from(SeccompAction::Allow)];
    program.extend(tree(&bounds, 0, answers));
    program
}

/// `before` bounds lie below these: where their number is even, calls below the first of these are not in the set.
fn tree(bounds: &[u32], before: usize, answers: [u32; 2]) -> BpfProgram {
    let middle = bounds.len() / 2;
    let Some(bound) = bounds.get(middle) else { return vec![instruction(BPF_RET | BPF_K, answers[before % 2], 0, 0)] };
    let below = tree(&bounds[..middle], before, answers);
    let above = tree(&bounds[middle + 1..], before + middle + 1, answers);
    let node = instruction(BPF_JMP | BPF_JGE | BPF_K, *bound, u8::try_from(below.len()).expect("fewer than 256 instructions"), 0);
    [vec![node], below, above].concat()
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: u16::try_from(code).expect("codes are small"), jt, jf, k }
}

/// `AUDIT_ARCH_*` of the kernel.
fn arch_number(arch: TargetArch) -> u32 {
    match arch {
        TargetArch::x86_64 => 0xc000_003e,
        TargetArch::aarch64 => 0xc000_00b7,
        TargetArch::riscv64 => 0xc000_00f3,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use seccompiler::{SeccompAction, TargetArch};

    use super::super::allowed;
    use super::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_KILL_PROCESS, only};

    const ARCH: u32 = 0xc000_003e;

    /// As the kernel does it: the answer, and how many instructions it took.
    fn answer(program: &[seccompiler::sock_filter], number: u32, arch: u32) -> (u32, usize) {
        let (mut value, mut at, mut steps) = (0, 0, 0);
        loop {
            let one = &program[at];
            let code = u32::from(one.code);
            at += 1;
            steps += 1;
            match code {
                _ if code == BPF_RET | BPF_K => return (one.k, steps),
                _ if code == BPF_LD | BPF_W | BPF_ABS => value = if one.k == 0 { number } else { arch },
                _ if code == BPF_JMP | BPF_JEQ | BPF_K => at += usize::from(if value == one.k { one.jt } else { one.jf }),
                _ if code == BPF_JMP | BPF_JGE | BPF_K => at += usize::from(if value >= one.k { one.jt } else { one.jf }),
                _ => panic!("no such instruction: {code}"),
            }
        }
    }

    #[test]
    fn the_calls_of_the_set_are_allowed_and_no_others() {
        let refused = SeccompAction::Errno(38);
        let (allow, refuse) = (u32::from(SeccompAction::Allow), u32::from(refused.clone()));
        let all = [allowed::EVERYWHERE, allowed::HERE, allowed::NEWER, allowed::IPC].concat();
        for set in [vec![], vec![0], vec![5], vec![7, 6, 5, 9], (0..400).step_by(4).collect(), all] {
            let program = only(&set, refused.clone(), TargetArch::x86_64);
            let listed: BTreeSet<u32> = set.iter().map(|call| u32::try_from(*call).expect("small")).collect();
            for number in (0..2_000).chain([0x4000_0000, 0x4000_0001, u32::MAX - 1, u32::MAX]) {
                let (got, steps) = answer(&program, number, ARCH);
                assert_eq!(got, if listed.contains(&number) { allow } else { refuse }, "call {number} of {listed:?}");
                assert!(steps <= 14, "{steps} instructions for call {number}");
                assert_eq!(answer(&program, number, 0x4000_0003).0, SECCOMP_RET_KILL_PROCESS);
            }
        }
    }
}
