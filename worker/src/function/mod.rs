//! Executes steps where no worker is: in the function that workers of the driver `vercel-function` call. It has the portable tools and the
//! calls of models, and of a worker nothing else. How calls come and are answered is the API's.

mod executor;

pub use executor::function_executor;
