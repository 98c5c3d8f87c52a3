// A typed client of the NOFX API: `connect` for every route, and what a route alone does not do.
export { connect, type Nofx, type Options, type Schemas } from './connect.js';
export { download } from './download.js';
export { Refused } from './refused.js';
export { InvalidStream, stream, type StreamOptions } from './stream.js';
export { submit, type Submission } from './submit.js';
export { wait } from './wait.js';
export { InvalidWebhook, verifyWebhook } from './webhook.js';
