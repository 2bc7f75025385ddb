-- Families whose links may end, and whose case it is. The functions take the place of those of
-- `identity_by_kind.sql`; the step down brings those back.

-- The rows that stand for the same human beings as these: an account's owner and, where a document
-- is known, whoever named that document as a member of their family.
CREATE FUNCTION identity_same(of_persons uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN ARRAY(
        SELECT unnest(of_persons)
        UNION
        SELECT holder.id FROM public.persons person
        JOIN public.persons holder ON holder.holder AND holder.id_type = person.id_type
            AND holder.id_number_index = person.id_number_index
        WHERE person.id = ANY (of_persons)
        UNION
        SELECT link.member_id FROM public.persons person
        JOIN public.family_links link ON link.id_type = person.id_type
            AND link.member_index = person.id_number_index
        WHERE person.id = ANY (of_persons)
    );
END
$$;

-- These, and whoever is at present named by them as spouse or child, or names them.
CREATE FUNCTION identity_kin(of_persons uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    same CONSTANT uuid[] := public.identity_same(of_persons);
BEGIN
    RETURN public.identity_same(ARRAY(
        SELECT unnest(same)
        UNION
        SELECT link.member_id FROM public.family_links link
        WHERE link.person_id = ANY (same) AND link.ended_at IS NULL
        UNION
        SELECT link.person_id FROM public.family_links link
        WHERE link.member_id = ANY (same) AND link.ended_at IS NULL
    ));
END
$$;

-- The persons on whose cases a member of staff may not work. A case is that of whom it names, the
-- applicant and who it is about, and of their family; it is nobody's to work on who is one of
-- these, or whose family is. So it names somebody who is at most two links away.
CREATE OR REPLACE FUNCTION identity_cases_of(of_account uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    own CONSTANT uuid := (SELECT account.person_id FROM public.accounts account
                          WHERE account.id = of_account);
BEGIN
    IF own IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN public.identity_kin(public.identity_kin(ARRAY[own]));
END
$$;

-- Whom a person names as family at present.
CREATE FUNCTION identity_family_of(of_person uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN ARRAY(SELECT link.member_id FROM public.family_links link
                 WHERE link.person_id = of_person AND link.ended_at IS NULL);
END
$$;

-- As before, but for the family: a link that has ended shows nothing any more.
CREATE OR REPLACE FUNCTION identity_session(
    of_session uuid, of_account uuid, in_district text, at_time timestamptz
) RETURNS TABLE (kind text, display_name text, person_id uuid, zone text, posts jsonb,
                 family uuid[], own_cases uuid[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    today date;
BEGIN
    SELECT account.kind, account.display_name, account.person_id
    INTO kind, display_name, person_id
    FROM public.sessions session
    JOIN public.accounts account ON account.id = session.account_id
    WHERE session.id = of_session
      AND session.account_id = of_account
      AND session.district_id = in_district
      AND session.revoked_at IS NULL
      AND session.expires_at > at_time
      AND account.disabled_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT district.zone INTO zone FROM public.districts district WHERE district.id = in_district;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    posts := '{}';
    IF kind = 'staff' THEN
        today := (at_time AT TIME ZONE zone)::date;
        SELECT coalesce(jsonb_object_agg(held.department, held.roles), '{}') INTO posts
        FROM (SELECT post.department, jsonb_agg(DISTINCT post.role) AS roles
              FROM public.posts post
              WHERE post.district_id = in_district
                AND post.account_id = of_account
                AND post.valid_from <= today
                AND (post.valid_to IS NULL OR post.valid_to >= today)
              GROUP BY post.department) held;
        own_cases := public.identity_cases_of(of_account);
    ELSIF person_id IS NOT NULL THEN
        family := public.identity_family_of(person_id);
    END IF;
    RETURN NEXT;
END
$$;

-- What was filed about a member of the family of the transaction's person, in whatever district:
-- the number of an item that is open, else of one that has ended; no row where there is none. One
-- statement for each district, so that none goes over all of them.
CREATE FUNCTION filed_about(of_member uuid) RETURNS TABLE (number text, is_open boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    own CONSTANT uuid := nullif(current_setting('app.person', true), '')::uuid;
    district text;
    found_here record;
BEGIN
    FOR district IN SELECT known.id FROM public.districts known ORDER BY known.id LOOP
        SELECT item.number, item.phase <> 'ended' AS is_open INTO found_here
        FROM public.tickets ticket
        JOIN public.items item ON item.district_id = ticket.district_id
            AND item.ticket_id = ticket.id
        WHERE ticket.district_id = district AND ticket.person_id = own
          AND item.subject_id = of_member
        ORDER BY item.phase = 'ended', item.id
        LIMIT 1;
        IF FOUND AND (number IS NULL OR found_here.is_open) THEN
            number := found_here.number;
            is_open := found_here.is_open;
        END IF;
        EXIT WHEN is_open;
    END LOOP;
    IF number IS NOT NULL THEN
        RETURN NEXT;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION identity_same(uuid[]), identity_kin(uuid[]), identity_family_of(uuid),
    filed_about(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION filed_about(uuid) TO talent_app;

-- Talents correct what they said of their family.
CREATE POLICY persons_correct ON persons FOR UPDATE
    USING (CASE nullif(current_setting('app.kind', true), '')
           WHEN 'person' THEN NOT holder
               AND EXISTS (SELECT FROM family_links link WHERE link.member_id = persons.id)
           ELSE false END);
GRANT UPDATE (kinship, id_type, member_index, ended_at) ON family_links TO talent_app;
GRANT SELECT (id_country), UPDATE (id_country) ON persons TO talent_keys;
