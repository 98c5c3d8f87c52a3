// Compiled, never run: what must not compile. A type that the description loses makes one of the expected errors disappear, which is an error.
import { submit, type Nofx, type Schemas } from '../src/index.js';

export async function wrong(nofx: Nofx, run: Schemas['Run'], event: Schemas['CloudEvent']): Promise<void> {
  // @ts-expect-error a status is one of a list
  run.status = 'done';
  // @ts-expect-error a field that may be null must be looked at first
  run.ended_at.length;
  // @ts-expect-error gates are typed
  run.gates[0]?.statuss;
  // @ts-expect-error an artifact's size is a number
  run.artifacts[0]?.size_bytes.trim();
  // @ts-expect-error events are typed
  event.kind;
  // @ts-expect-error a plan or a text, not a number
  await submit(nofx, { plan_yaml: 1 });
  // @ts-expect-error there is no such route
  await nofx.api.GET('/api/nothing');
  // @ts-expect-error the id is missing
  await nofx.api.GET('/api/runs/{id}', { params: { path: {} } });
  // @ts-expect-error a filter has the values of its type
  await nofx.api.GET('/api/gates', { params: { query: { status: 'open' } } });
  // @ts-expect-error a reason is text
  await nofx.api.POST('/api/gates/{id}/approve', { params: { path: { id: run.id } }, body: { reason: 1 } });

  const runs = await nofx.api.GET('/api/runs');
  // @ts-expect-error items of a list are typed
  runs.data?.data[0]?.gaol;
  // @ts-expect-error a refusal is a problem
  runs.error?.message;
  // @ts-expect-error of a known kind
  if (runs.error?.type === 'https://nofx.dev/problems/no-such-kind') return;

  const outputs = run.steps[0]?.outputs;
  // A free object has any field.
  if (outputs) console.log(outputs['anything']);
}
