-- The tables of Chatwoot that its mapping names, with the columns that its schema gives them.
CREATE TABLE users (id serial PRIMARY KEY, name varchar NOT NULL, email varchar);
CREATE TABLE contacts (
  id serial PRIMARY KEY, name varchar DEFAULT '', email varchar, phone_number varchar,
  account_id integer NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL
);
CREATE TABLE conversations (
  id serial PRIMARY KEY, account_id integer NOT NULL, inbox_id integer NOT NULL,
  status integer NOT NULL DEFAULT 0, assignee_id integer, created_at timestamp NOT NULL,
  updated_at timestamp NOT NULL, contact_id bigint, display_id integer NOT NULL,
  additional_attributes jsonb DEFAULT '{}', contact_inbox_id bigint,
  uuid uuid NOT NULL DEFAULT gen_random_uuid(), identifier varchar,
  last_activity_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, team_id bigint, priority integer
);
CREATE TABLE messages (
  id serial PRIMARY KEY, content text, account_id integer NOT NULL, inbox_id integer NOT NULL,
  conversation_id integer NOT NULL, message_type integer NOT NULL, created_at timestamp NOT NULL,
  updated_at timestamp NOT NULL, private boolean NOT NULL DEFAULT false, status integer DEFAULT 0,
  source_id varchar, content_type integer NOT NULL DEFAULT 0, content_attributes json DEFAULT '{}',
  sender_type varchar, sender_id bigint, external_source_ids jsonb DEFAULT '{}',
  additional_attributes jsonb DEFAULT '{}', processed_message_content text
);
CREATE TABLE attachments (
  id serial PRIMARY KEY, file_type integer DEFAULT 0, external_url varchar, message_id integer NOT NULL,
  account_id integer NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
  extension varchar, meta jsonb DEFAULT '{}'
);
CREATE TABLE active_storage_attachments (
  id bigserial PRIMARY KEY, name varchar NOT NULL, record_type varchar NOT NULL,
  record_id bigint NOT NULL, blob_id bigint NOT NULL, created_at timestamp NOT NULL
);
CREATE TABLE active_storage_blobs (
  id bigserial PRIMARY KEY, key varchar NOT NULL UNIQUE, filename varchar NOT NULL,
  content_type varchar, metadata text, byte_size bigint NOT NULL, checksum varchar,
  created_at timestamp NOT NULL, service_name varchar NOT NULL
);
INSERT INTO users (id, name, email) VALUES (1, 'Bo', 'bo@example.com');
INSERT INTO contacts (id, name, email, account_id, created_at, updated_at)
  VALUES (1, 'Ana', 'ana@example.com', 1, now(), now());
