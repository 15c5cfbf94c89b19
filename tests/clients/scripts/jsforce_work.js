/* jsforce: logins, queries, records, Bulk 1.0 and 2.0, metadata. Prints a line for each step. */
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const jsforce = require('jsforce');

const world = JSON.parse(process.argv[2]);
const connect = () => new jsforce.Connection({ instanceUrl: world.http_url, accessToken: world.token, version: '62.0' });

function need(held, evidence) {
  if (!held) throw new Error(String(typeof evidence === 'string' ? evidence : JSON.stringify(evidence)).slice(0, 400));
}

async function step(name, run) {
  const say = (passed, evidence) => console.log(JSON.stringify({ check: name, passed, evidence: String(evidence) }));
  try {
    say(true, await run());
  } catch (error) {
    say(false, `${error.name}: ${error.errorCode || ''} ${error.message}`);
  }
}

async function logins() {
  await step('login: accessToken and identity', async () => {
    const who = await connect().identity();
    need(who.username === world.username && who.organization_id === world.org_id, who);
    return who.username;
  });
  await step('login: SOAP', async () => {
    const conn = new jsforce.Connection({ loginUrl: world.http_url, version: '62.0' });
    const who = await conn.login(world.username, world.password + world.security_token);
    need(who.organizationId === world.org_id, who);
    const found = await conn.query('SELECT Id FROM Account LIMIT 2');
    need(found.totalSize === 2, found);
    return `${who.id} at ${conn.instanceUrl}`;
  });
  await step('login: OAuth password', async () => {
    const oauth2 = { loginUrl: world.http_url, clientId: world.client_id, clientSecret: world.client_secret };
    const conn = new jsforce.Connection({ oauth2, version: '62.0' });
    const who = await conn.login(world.username, world.password);
    need(who.organizationId === world.org_id, who);
    return who.id;
  });
  await step('login: a wrong password is refused', async () => {
    const conn = new jsforce.Connection({ loginUrl: world.http_url, version: '62.0' });
    const said = await conn.login(world.username, 'wrong').then(() => 'let in', (error) => error.message);
    need(said.includes('INVALID_LOGIN'), said);
    return said;
  });
  await step('login: authorization code and refresh token', async () => {
    const redirectUri = 'http://127.0.0.1:1717/OauthRedirect';
    const oauth2 = new jsforce.OAuth2({ loginUrl: world.http_url, clientId: 'PlatformCLI', redirectUri });
    const page = oauth2.getAuthorizationUrl({ scope: 'refresh_token api web' });
    const form = new URLSearchParams({ username: world.username, password: world.password });
    const sent = await fetch(page, { method: 'POST', body: form, redirect: 'manual' });
    const code = new URL(sent.headers.get('location')).searchParams.get('code');
    const conn = new jsforce.Connection({ oauth2, version: '62.0' });
    await conn.authorize(code);
    need(conn.refreshToken, 'no refresh token');
    conn.accessToken = `${world.org_id.slice(0, 15)}!dead`;
    const found = await conn.query('SELECT Id FROM Account LIMIT 1');
    need(found.totalSize === 1 && !conn.accessToken.endsWith('!dead'), found);
    return 'a dead token was refreshed in the middle of a query';
  });
}

async function records() {
  const conn = connect();
  await step('query with parents and children, limitInfo', async () => {
    const soql = 'SELECT Id, Owner.Username, (SELECT Id, LastName FROM Contacts) FROM Account LIMIT 5';
    const found = await conn.query(soql);
    need(found.records.length === 5 && found.records[0].Owner.Username, found);
    need(conn.limitInfo.apiUsage.limit > 0, conn.limitInfo);
    return `5 accounts; ${JSON.stringify(conn.limitInfo.apiUsage)}`;
  });
  await step('query of several pages', async () => {
    const rows = Array.from({ length: 2100 }, (_, number) => `Page ${number},js`).join('\n');
    const done = await conn.bulk2.loadAndWaitForResults({ object: 'Lead', operation: 'insert', input: `LastName,Company\n${rows}\n` });
    need(done.successfulResults.length === 2100 && done.failedResults.length === 0, done.failedResults.slice(0, 2));
    const found = await conn.query("SELECT Id FROM Lead WHERE Company = 'js'").run({ autoFetch: true, maxFetch: 5000 });
    need(found.records.length === 2100, found.totalSize);
    return '2,100 rows in two pages';
  });
  await step('create, retrieve, update, upsert, delete', async () => {
    const made = await conn.sobject('Account').create([{ Name: 'JS 1', CustomerNumber__c: 'JS-1' }, { Name: 'JS 2' }]);
    need(made.every((one) => one.success), made);
    const ids = made.map((one) => one.id);
    const got = await conn.sobject('Account').retrieve(ids);
    need(got[0].Name === 'JS 1' && got[1].Name === 'JS 2', got);
    const changed = await conn.sobject('Account').update(ids.map((Id) => ({ Id, Industry: 'Energy' })));
    need(changed.every((one) => one.success), changed);
    const again = await conn.sobject('Account').upsert({ CustomerNumber__c: 'JS-1', Name: 'JS one' }, 'CustomerNumber__c');
    need(again.success, again);
    const one = await conn.sobject('Account').retrieve(ids[0]);
    need(one.Name === 'JS one' && one.Industry === 'Energy', one);
    const gone = await conn.sobject('Account').delete(ids);
    need(gone.every((each) => each.success), gone);
    return ids.join(' ');
  });
  await step('describe, describeGlobal, limits, tooling', async () => {
    const account = await conn.describe('Account');
    const all = await conn.describeGlobal();
    const classes = await conn.tooling.query('SELECT Id, Name FROM ApexClass');
    need(account.fields.length > 10 && all.sobjects.length > 20 && classes.totalSize > 0, classes);
    return `${all.sobjects.length} objects, Account ${account.fields.length} fields, ${classes.totalSize} classes`;
  });
}

async function bulk() {
  const conn = connect();
  await step('bulk2: query and ingest', async () => {
    const stream = await conn.bulk2.query("SELECT Id, LastName FROM Lead WHERE Company = 'js'");
    const found = await stream.toArray();
    need(found.length === 2100 && found[0].Id, found.slice(0, 1));
    const input = found.slice(0, 50).map((one) => ({ Id: one.Id, Company: 'js changed' }));
    const done = await conn.bulk2.loadAndWaitForResults({ object: 'Lead', operation: 'update', input });
    need(done.successfulResults.length === 50, done.failedResults.slice(0, 1));
    const gone = await conn.bulk2.loadAndWaitForResults({
      object: 'Lead', operation: 'delete', input: input.map(({ Id }) => ({ Id })),
    });
    need(gone.successfulResults.length === 50, gone.failedResults.slice(0, 1));
    return '2,100 read, 50 updated, 50 deleted';
  });
  await step('bulk (1.0): insert, query, delete', async () => {
    conn.bulk.pollInterval = 300;
    const rows = Array.from({ length: 30 }, (_, number) => ({ Name: `JS bulk ${number}`, Industry: 'Energy' }));
    const made = await conn.bulk.load('Account', 'insert', rows);
    need(made.length === 30 && made.every((one) => one.success && one.id), made.slice(0, 2));
    const stream = await conn.bulk.query("SELECT Id, Name FROM Account WHERE Name LIKE 'JS bulk%'");
    const found = await stream.toArray();
    need(found.length === 30, found.slice(0, 1));
    const bad = await conn.bulk.load('Account', 'insert', [{ Name: 'x'.repeat(300) }]);
    need(bad[0].success === false && bad[0].errors[0].startsWith('STRING_TOO_LONG'), bad);
    const gone = await conn.bulk.load('Account', 'delete', found.map(({ Id }) => ({ Id })));
    need(gone.every((one) => one.success), gone.slice(0, 2));
    return `30 inserted, read, deleted; ${bad[0].errors[0].slice(0, 60)}`;
  });
}

async function soap() {
  const conn = connect();
  await step('soap: create, update, upsert, delete, undelete', async () => {
    const made = await conn.soap.create([{ type: 'Account', Name: 'By soap' }, { type: 'Account' }]);
    need(made[0].success && !made[1].success, made);
    const id = made[0].id;
    need((await conn.soap.update({ type: 'Account', Id: id, Industry: null, Phone: '1' })).success, 'update');
    const again = await conn.soap.upsert('Id', [{ type: 'Account', Id: id, Name: 'By soap again' }]);
    need(again[0].success && again[0].created === false, again);
    need((await conn.soap.delete([id]))[0].success, 'delete');
    need((await conn.soap.undelete([id]))[0].success, 'undelete');
    const row = await conn.sobject('Account').retrieve(id);
    need(row.Name === 'By soap again' && row.Phone === '1', row);
    const me = await conn.soap.getUserInfo();
    need((await conn.soap.getServerTimestamp()).timestamp, 'timestamp');
    return `${id} by ${me.userFullName}`;
  });
  await step('soap: merge, convertLead', async () => {
    const [keep, goes] = await conn.soap.create([{ type: 'Account', Name: 'Keeps' }, { type: 'Account', Name: 'Goes' }]);
    const masterRecord = { type: 'Account', Id: keep.id, Phone: '1' };
    const merged = await conn.soap.merge({ masterRecord, recordToMergeIds: [goes.id] });
    need(merged.success && merged.id === keep.id && merged.mergedRecordIds[0] === goes.id, merged);
    const lead = await conn.sobject('Lead').create({ LastName: 'Fry', Company: 'Fry and sons' });
    const asked = { leadId: lead.id, convertedStatus: 'Closed - Converted', doNotCreateOpportunity: true };
    const done = await conn.soap.convertLead(asked);
    need(done.success && done.accountId && done.contactId && !done.opportunityId, done);
    return `${goes.id} merged into ${keep.id}; a lead became ${done.accountId} and ${done.contactId}`;
  });
  await step('search (SOSL)', async () => {
    const found = await conn.search("FIND {soap again} IN NAME FIELDS RETURNING Account(Id, Name LIMIT 5)");
    need(found.searchRecords.length >= 1, found);
    return `${found.searchRecords.length} found`;
  });
}

async function metadata() {
  const conn = connect();
  conn.metadata.pollInterval = 300;
  await step('metadata: describe, list, read', async () => {
    const described = await conn.metadata.describe('62.0');
    const listed = await conn.metadata.list([{ type: 'CustomObject' }, { type: 'Flow' }], '62.0');
    const read = await conn.metadata.read('CustomObject', ['Invoice__c']);
    const one = Array.isArray(read) ? read[0] : read;
    need(described.metadataObjects.length > 20 && listed.length > 5 && one.fullName === 'Invoice__c', read);
    return `${described.metadataObjects.length} types, ${listed.length} listed, ${one.fields.length} fields`;
  });
  await step('metadata: create, update, upsert, delete', async () => {
    const label = { fullName: 'By_jsforce', language: 'en_US', protected: false, shortDescription: 'js', value: 'one' };
    const made = await conn.metadata.create('CustomLabel', label);
    need(made.success, made);
    need((await conn.metadata.update('CustomLabel', { ...label, value: 'two' })).success, 'update');
    const again = await conn.metadata.upsert('CustomLabel', { ...label, value: 'three' });
    need(again.success && again.created === false, again);
    need((await conn.metadata.read('CustomLabel', 'By_jsforce')).value === 'three', 'value');
    const gone = await conn.metadata.delete('CustomLabel', 'By_jsforce');
    need(gone.success, gone);
    return 'a label made, changed, deleted';
  });
  let zip;
  await step('metadata: retrieve', async () => {
    const types = [{ name: 'CustomLabel', members: ['*'] }, { name: 'ApexClass', members: ['*'] }];
    const job = conn.metadata.retrieve({ apiVersion: '62.0', singlePackage: true, unpackaged: { types, version: '62.0' } });
    const done = await job.complete();
    need(done.status === 'Succeeded' && done.zipFile, done.status);
    zip = path.join(process.env.HOME, 'retrieved.zip');
    fs.writeFileSync(zip, Buffer.from(done.zipFile, 'base64'));
    return `${done.fileProperties.length} files`;
  });
  await step('metadata: deploy', async () => {
    need(zip, 'nothing was retrieved');
    const options = { singlePackage: true, rollbackOnError: true, checkOnly: true, testLevel: 'NoTestRun' };
    const done = await conn.metadata.deploy(fs.createReadStream(zip), options).complete({ details: true });
    need(done.success && done.status === 'Succeeded', done);
    return `${done.numberComponentsDeployed} components checked`;
  });
}

(async () => {
  await logins();
  await records();
  await bulk();
  await soap();
  await metadata();
})();
