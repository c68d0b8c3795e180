-- The tables of Zammad that its mapping names, with the columns that its migrations give them.
CREATE TABLE users (
  id serial PRIMARY KEY, login varchar(255) NOT NULL, firstname varchar(100), lastname varchar(100),
  email varchar(255), verified boolean NOT NULL DEFAULT false, active boolean NOT NULL DEFAULT true
);
CREATE TABLE ticket_state_types (id serial PRIMARY KEY, name varchar(250) NOT NULL);
CREATE TABLE ticket_states (
  id serial PRIMARY KEY, state_type_id integer NOT NULL REFERENCES ticket_state_types,
  name varchar(250) NOT NULL, active boolean NOT NULL DEFAULT true
);
CREATE TABLE ticket_priorities (id serial PRIMARY KEY, name varchar(250) NOT NULL);
CREATE TABLE groups (id serial PRIMARY KEY, name varchar(160) NOT NULL);
CREATE TABLE tickets (
  id serial PRIMARY KEY, group_id integer NOT NULL REFERENCES groups,
  priority_id integer NOT NULL REFERENCES ticket_priorities,
  state_id integer NOT NULL REFERENCES ticket_states, organization_id integer,
  number varchar(60) NOT NULL UNIQUE, title varchar(250) NOT NULL,
  owner_id integer NOT NULL REFERENCES users, customer_id integer NOT NULL REFERENCES users,
  note varchar(250), close_at timestamp(3), last_contact_at timestamp(3), article_count integer,
  type varchar(100), preferences text, ai_agent_running boolean NOT NULL DEFAULT false,
  updated_by_id integer NOT NULL REFERENCES users, created_by_id integer NOT NULL REFERENCES users,
  created_at timestamp(3) NOT NULL, updated_at timestamp(3) NOT NULL
);
CREATE TABLE ticket_article_types (
  id serial PRIMARY KEY, name varchar(250) NOT NULL, communication boolean NOT NULL DEFAULT false
);
CREATE TABLE ticket_article_senders (id serial PRIMARY KEY, name varchar(250) NOT NULL);
CREATE TABLE ticket_articles (
  id serial PRIMARY KEY, ticket_id integer NOT NULL REFERENCES tickets,
  type_id integer NOT NULL REFERENCES ticket_article_types,
  sender_id integer NOT NULL REFERENCES ticket_article_senders, detected_language varchar(8),
  "from" varchar(3000), "to" varchar(3000), cc varchar(3000), subject varchar(3000),
  reply_to varchar(300), message_id varchar(3000), message_id_md5 varchar(32),
  in_reply_to varchar(3000), content_type varchar(20) NOT NULL DEFAULT 'text/plain',
  body text NOT NULL, internal boolean NOT NULL DEFAULT false, preferences text,
  updated_by_id integer NOT NULL REFERENCES users, created_by_id integer NOT NULL REFERENCES users,
  origin_by_id integer REFERENCES users,
  created_at timestamp(3) NOT NULL, updated_at timestamp(3) NOT NULL
);
CREATE TABLE store_objects (id serial PRIMARY KEY, name varchar(250) NOT NULL UNIQUE);
CREATE TABLE store_files (
  id serial PRIMARY KEY, sha varchar(128) NOT NULL UNIQUE, provider varchar(20)
);
CREATE TABLE store_provider_dbs (id serial PRIMARY KEY, sha varchar(128) NOT NULL UNIQUE, data bytea);
CREATE TABLE stores (
  id serial PRIMARY KEY, store_object_id integer NOT NULL REFERENCES store_objects,
  store_file_id integer NOT NULL REFERENCES store_files, o_id bigint NOT NULL,
  preferences varchar(2500), size varchar(50), filename varchar(250) NOT NULL,
  created_by_id integer NOT NULL
);
INSERT INTO users (id, login, email) VALUES
  (1, '-', ''), (2, 'bo@example.com', 'bo@example.com'), (3, 'ana@example.com', 'ana@example.com');
INSERT INTO ticket_state_types (id, name) VALUES (1, 'new'), (2, 'open'), (5, 'closed');
INSERT INTO ticket_states (id, state_type_id, name) VALUES (1, 1, 'new'), (2, 2, 'open'), (4, 5, 'closed');
INSERT INTO ticket_priorities (id, name) VALUES (2, '2 normal');
INSERT INTO groups (id, name) VALUES (1, 'Users');
INSERT INTO ticket_article_types (id, name) VALUES (1, 'email'), (10, 'note'), (11, 'web');
INSERT INTO ticket_article_senders (id, name) VALUES (1, 'Agent'), (2, 'Customer'), (3, 'System');
INSERT INTO store_objects (id, name) VALUES (1, 'Ticket::Article'), (2, 'User');
