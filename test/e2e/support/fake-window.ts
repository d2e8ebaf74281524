import { FakeServer } from './fake-server.js';
import { expectEmpty, test as base } from './studio.js';

/** The window alone, before a server whose every answer is known: states that the real engine reaches only by chance. */
export const test = base.extend<{ server: FakeServer }>({
  server: async ({ browserName: _ }, use) => {
    const server = new FakeServer();
    await server.start();
    await use(server);
    await server.stop();
  },
  page: async ({ server, program }, use) => {
    const page = await program.openBefore(server.url);
    await expectEmpty(page);
    await use(page);
  },
});
