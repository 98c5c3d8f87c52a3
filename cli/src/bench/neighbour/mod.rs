//! `nofx bench neighbour`: what a tenant that means harm costs another one. The steps of a probe run, while the stack is quiet and then beside the
//! hostile tenant, whose limits are those of production. `hostile` does the harm, `probe` measures.

mod hostile;
mod prepare;
mod probe;
mod receiver;
mod run;

pub(super) use run::run;
