// Submits a plan, follows it, approves its gate as someone else, waits for its end and downloads what it made.
import { download, Refused, stream, submit, wait, type Nofx } from '../src/index.js';

export async function release(author: Nofx, approver: Nofx): Promise<string> {
  const run = await submit(author, {
    plan: {
      goal: 'release',
      steps: [
        { name: 'build', tool: 'bash', inputs: { script: 'echo "version 1" > notes.txt', artifacts: ['notes.txt'] } },
        { name: 'approve', tool: 'manual:approve', needs: ['build'] },
      ],
    },
  });
  for await (const event of stream(author, { runId: run.id })) {
    console.log(event.time, event.type, event.subject);
    if (event.type === 'gate.requested') break;
  }
  const gates = await approver.api.GET('/api/runs/{id}/gates', { params: { path: { id: run.id } } });
  for (const gate of gates.data?.data ?? []) {
    const path = { id: gate.id };
    const { error, response } = await approver.api.POST('/api/gates/{id}/approve', { params: { path }, body: { reason: 'tried it' } });
    if (error) throw new Refused(response.status, error);
  }
  const ended = await wait(author, run.id);
  const notes = ended.artifacts.find((artifact) => artifact.name === 'notes.txt');
  if (ended.status !== 'succeeded' || notes === undefined) throw new Error(`the run has ${ended.status}: ${JSON.stringify(ended.error)}`);
  return new TextDecoder().decode(await download(author, notes.id));
}
