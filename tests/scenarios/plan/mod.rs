mod expressions;
mod refusals;
