/** Runs once before every test file: starts what they share. */
export default async function startEngines(): Promise<() => Promise<void>> {
  return async () => {}
}
