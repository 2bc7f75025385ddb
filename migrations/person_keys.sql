-- Keys of persons: who may read, make, rewrap and destroy them, and who may seal values anew.

-- The application: three functions, which answer for the persons that are named to them and list
-- nobody. What they return is of no use without the key file. No policy, hence no row, for a
-- statement that the application writes itself, and no grant either.
ALTER TABLE person_keys ENABLE ROW LEVEL SECURITY;

-- An empty value: the key was destroyed. No row: there never was one.
CREATE FUNCTION person_key(of_person uuid) RETURNS bytea
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT coalesce(wrapped_key, ''::bytea) FROM public.person_keys WHERE person_id = of_person
$$;

CREATE FUNCTION person_keys_of(of_persons uuid[]) RETURNS TABLE (person_id uuid, wrapped_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT person.person_id, coalesce(person.wrapped_key, ''::bytea)
    FROM public.person_keys person
    WHERE person.person_id = ANY (of_persons)
$$;

-- Every person without a key gets the one that is offered for them. Of two transactions at once
-- the second waits for the first at the INSERT, and its last statement sees what that one made.
CREATE FUNCTION person_keys_made(of_persons uuid[], offered bytea[], of_master text)
RETURNS TABLE (person_id uuid, wrapped_key bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    FOR number IN 1 .. cardinality(of_persons) LOOP
        IF NOT EXISTS (SELECT FROM public.person_keys person
                       WHERE person.person_id = of_persons[number]) THEN
            INSERT INTO public.person_keys (person_id, wrapped_key, master_key_id, created_at)
            VALUES (of_persons[number], offered[number], of_master, statement_timestamp())
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT person.person_id, coalesce(person.wrapped_key, ''::bytea)
    FROM public.person_keys person
    WHERE person.person_id = ANY (of_persons);
END
$$;

REVOKE ALL ON FUNCTION person_key(uuid), person_keys_of(uuid[]),
    person_keys_made(uuid[], bytea[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_key(uuid), person_keys_of(uuid[]),
    person_keys_made(uuid[], bytea[], text) TO talent_app, talent_keys;

-- The commands of the keys work as a role of their own. It may change sealed columns, which the
-- application partly may not (`ticket_sections` are only ever added to), and nothing but them. The
-- migration gives it a policy on each table of the district family that has some.
CREATE POLICY person_keys_all ON person_keys TO talent_keys USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON person_keys TO talent_keys;
GRANT UPDATE (wrapped_key, master_key_id, destroyed_at) ON person_keys TO talent_keys;

GRANT USAGE ON SCHEMA public TO talent_keys;
GRANT SELECT (id) ON districts TO talent_keys;
CREATE POLICY persons_reseal ON persons TO talent_keys USING (true);
GRANT SELECT (id, name, phone, id_number, birth_date),
    UPDATE (name, phone, id_number, birth_date) ON persons TO talent_keys;
GRANT SELECT (district_id, id, person_id, filed_applicant),
    UPDATE (filed_applicant) ON tickets TO talent_keys;
GRANT SELECT (district_id, id, subject_id, filed_subject),
    UPDATE (filed_subject) ON items TO talent_keys;
GRANT SELECT (district_id, id, ticket_id, content), UPDATE (content) ON ticket_sections
    TO talent_keys;
GRANT SELECT (district_id, id, person_id, content), UPDATE (content) ON drafts TO talent_keys;
GRANT SELECT (district_id, id, ticket_id, points), UPDATE (points) ON corrections TO talent_keys;
GRANT SELECT (district_id, id, ticket_id, opinion, result), UPDATE (opinion, result) ON tasks
    TO talent_keys;
GRANT SELECT (district_id, id, person_id, value, revocation_reason),
    UPDATE (value, revocation_reason) ON facts TO talent_keys;
GRANT SELECT (district_id, id, person_id, name), UPDATE (name) ON materials TO talent_keys;

-- The policies by kind hold for this role too, and ask these.
GRANT EXECUTE ON FUNCTION identity_has_acted(uuid), identity_works_here(uuid),
    employer_may_follow(text, uuid, uuid) TO talent_keys;
