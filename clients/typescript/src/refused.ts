import type { Schemas } from './connect.js';

type Problem = Schemas['Problem'];

/** The API refused a request. `problem.type` says why, `problem.detail` what to do. */
export class Refused extends Error {
  constructor(readonly status: number, readonly problem: Problem | undefined) {
    super(problem === undefined ? `HTTP ${status}` : [problem.title, problem.detail, ...faults(problem)].join('\n'));
    this.name = 'Refused';
  }

  /** Of a response; something between the client and the API may have made it, so it need not be a problem. */
  static async of(response: Response): Promise<Refused> {
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
    return new Refused(response.status, isProblem ? ((await response.json()) as Problem) : undefined);
  }
}

function faults(problem: Problem): string[] {
  return (problem.errors ?? []).map((fault) => `${fault.pointer || '/'}: ${fault.detail}`);
}
