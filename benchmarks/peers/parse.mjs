// Parse Server as its documentation sets it up for production, on the database in DATABASE_URI.
import http from 'node:http';
import express from 'express';
import { ParseServer } from 'parse-server';

const { PORT, DATABASE_URI, MASTER_KEY } = process.env;
const server = new ParseServer({
  databaseURI: DATABASE_URI,
  appId: 'bench',
  masterKey: MASTER_KEY,
  serverURL: `http://127.0.0.1:${PORT}/parse`,
  allowClientClassCreation: false,
  enableAnonymousUsers: false,
});
await server.start();
const app = express();
app.use('/parse', server.app);
http.createServer(app).listen(Number(PORT), '127.0.0.1');
