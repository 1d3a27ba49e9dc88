/** The typed client. `./socket.ts` is apart, because browsers have no use for it. */
export { ApiError, type Client, type ClientOptions, createClient } from './client.ts'
